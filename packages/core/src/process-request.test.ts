import { expect, test } from 'vitest';
import { journalOf } from '../test/engine.ts';
import { Agent } from './agent.ts';
import { memoryStore } from './memory-store.ts';
import { Runner } from './runner.ts';
import type { ChatRequest, RunResult } from './run-result.ts';
import { collect, scriptedModel } from './testing/index.ts';

/** Works around the whole run, as the Python package's users do. */
class Polite extends Agent {
  readonly seen: string[] = [];

  override async processRequest(request: ChatRequest): Promise<RunResult> {
    const asked = typeof request.message === 'string' ? request.message : '';
    this.seen.push(`before ${asked}`);
    const result = await super.processRequest({ ...request, message: `${asked}, please` });
    this.seen.push(`after ${result.response}`);
    return result;
  }
}

function polite() {
  const model = scriptedModel(() => 'Yes.');
  return { model, agent: new Polite({ name: 'polite', model }) };
}

test('an override works around the run of a runner, with its store and its session', async () => {
  const { agent, model } = polite();
  const store = memoryStore();
  const result = await new Runner(agent, { store }).run('Help', { sessionId: 's' });
  expect(result.response).toBe('Yes.');
  expect(agent.seen).toEqual(['before Help', 'after Yes.']);
  expect(JSON.stringify(model.requests[0]?.messages)).toContain('Help, please');
  const { messages } = await store.sessions.load('s');
  expect(messages).toHaveLength(2);
  await journalOf(store, result.runId);
});

test('it works around chat(), a direct call, and a stream', async () => {
  const { agent } = polite();
  expect((await agent.chat('Help')).response).toBe('Yes.');
  expect((await agent.processRequest({ message: 'Help' })).response).toBe('Yes.');
  const stream = new Runner(agent).stream('Help');
  const events = await collect(stream);
  expect(events.at(-1)?.type).toBe('run-end');
  expect((await stream.result).runId).toBe(stream.runId);
  expect(agent.seen).toHaveLength(6);
});

test('an override may answer by itself; a stream of it ends', async () => {
  const cached = await new Agent({ name: 'a', model: scriptedModel(['Cached.']) }).chat('Hi');
  class Cached extends Agent {
    override async processRequest(): Promise<RunResult> {
      return cached;
    }
  }
  const agent = new Cached({ name: 'cached', model: scriptedModel([]) });
  expect((await new Runner(agent).run('Hi')).response).toBe('Cached.');
  const stream = new Runner(agent).stream('Hi');
  expect(await collect(stream)).toEqual([]);
  expect((await stream.result).response).toBe('Cached.');
  await expect(stream.started).rejects.toThrow();
});

test('an override may try again: each try is a run of its own', async () => {
  class Stubborn extends Agent {
    override async processRequest(request: ChatRequest): Promise<RunResult> {
      const first = await super.processRequest(request);
      return first.status === 'completed' ? first : super.processRequest(request);
    }
  }
  const model = scriptedModel([new Error('once'), 'Yes.']);
  const store = memoryStore();
  const result = await new Runner(new Stubborn({ name: 'bot', model }), { store }).run('Go', {
    sessionId: 's',
  });
  expect(result.response).toBe('Yes.');
  const { runs } = await store.runs.list({ limit: 9 });
  expect(runs).toHaveLength(2);
});

test('an override that throws rejects the run', async () => {
  class Broken extends Agent {
    override async processRequest(): Promise<RunResult> {
      throw new Error('broken');
    }
  }
  const runner = new Runner(new Broken({ name: 'bot', model: scriptedModel([]) }));
  await expect(runner.run('Hi')).rejects.toThrow('broken');
  await expect(collect(runner.stream('Hi'))).rejects.toThrow('broken');
});

test('together with a durable store it is refused, with a sentence that names the two', () => {
  const store = { ...memoryStore(), durable: true };
  expect(() => new Runner(polite().agent, { store })).toThrow(/processRequest.*durable/);
});

test('a run that is left to be stepped cannot be worked around, and says so', async () => {
  const runner = new Runner(polite().agent, { store: memoryStore() });
  await expect(runner.start('Hi')).rejects.toThrow('processRequest');
});
