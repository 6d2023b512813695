import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { dyingStore, journalOf, testClock, typesOf } from '../test/engine.ts';
import { Agent } from './agent.ts';
import { ModelError } from './errors.ts';
import { cursorOf, isDurable, type Delta, type RunEvent, type Watched } from './events.ts';
import { fallback } from './fallback.ts';
import { memoryStore } from './memory-store.ts';
import type { Model } from './model.ts';
import { Runner } from './runner.ts';
import type { DeltaChannel, Store } from './store.ts';
import {
  collect,
  equal,
  eventually,
  gate,
  ok,
  scriptedModel,
  type ScriptedAnswer,
} from './testing/index.ts';
import { tool } from './tool.ts';

const tick = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A turn whose deltas come one at a time, so that clients come and go between them. */
function slowly(text: string, more: ScriptedAnswer = {}): ScriptedAnswer {
  const events = Array.from(text).flatMap((delta) => [
    tick,
    { type: 'text-delta', delta } as const,
  ]);
  return { ...more, events, parts: [{ type: 'text', text }] };
}

const note = tool({
  name: 'note',
  description: 'Notes',
  parameters: z.object({}),
  effect: 'read',
  async *execute() {
    await tick();
    yield 'half';
    await tick();
    return 'noted';
  },
});

/** A side channel between processes: best effort, a new epoch replaces, what is over is forgotten. */
function channelDouble(): DeltaChannel {
  const runs = new Map<
    string,
    { kept: Map<string, Delta[]>; listeners: Set<(d: Delta) => void> }
  >();
  const of = (runId: string) => {
    const run = runs.get(runId) ?? { kept: new Map<string, Delta[]>(), listeners: new Set() };
    runs.set(runId, run);
    return run;
  };
  return {
    publish(runId, deltas) {
      const { kept, listeners } = of(runId);
      for (const delta of deltas) {
        const frame = kept.get(delta.frame);
        if (frame?.[0]?.epoch === delta.epoch) frame.push(delta);
        else kept.set(delta.frame, [delta]);
        for (const listener of listeners) listener(delta);
      }
    },
    clear(runId) {
      of(runId).kept.clear();
    },
    async *follow(runId, { signal }) {
      const { kept, listeners } = of(runId);
      const queue = [...kept.values()].flat();
      const listener = (delta: Delta) => void queue.push(delta);
      listeners.add(listener);
      try {
        while (!signal.aborted) {
          const next = queue.shift();
          if (next === undefined) await tick();
          else yield next;
        }
      } finally {
        listeners.delete(listener);
      }
    },
  };
}

/** What a client makes of what it receives: the fold rule of journal.md, and nothing else. */
class Client {
  readonly durable: RunEvent[] = [];
  readonly pending = new Map<string, { readonly epoch: string; text: string }>();
  cursor: string | undefined;

  take(event: Watched): void {
    this.cursor = cursorOf(event);
    if (isDurable(event)) {
      this.durable.push(event);
      if (event.type === 'model-response') this.pending.delete(event.frame);
      if (event.type === 'run-resume' || event.type === 'run-end') this.pending.clear();
      return;
    }
    if (event.type === 'void') this.pending.delete(event.frame);
    if (event.type !== 'text-delta') return;
    const known = this.pending.get(event.frame);
    if (known?.epoch === event.epoch) known.text += event.delta;
    else this.pending.set(event.frame, { epoch: event.epoch, text: event.delta });
  }
}

/** What really happened: the text of each attempt, by the number of its last delta. */
class Truth {
  readonly #texts = new Map<string, string[]>();

  take(event: Watched): void {
    if (isDurable(event) || event.type !== 'text-delta') return;
    const texts = this.#texts.get(event.epoch) ?? [];
    texts[event.n] = (texts.findLast((text) => text !== undefined) ?? '') + event.delta;
    this.#texts.set(event.epoch, texts);
  }

  /** A client that got this delta has the text of its attempt up to there, without a gap and without a repeat. */
  check(client: Client, event: Watched): void {
    if (isDurable(event) || event.type !== 'text-delta') return;
    const known = client.pending.get(event.frame)?.text;
    equal(known, this.#texts.get(event.epoch)?.[event.n], `after delta ${event.epoch}.${event.n}`);
  }
}

const turns = fc.array(
  fc.record({
    text: fc.string({ minLength: 1, maxLength: 8 }),
    failures: fc.integer({ min: 0, max: 2 }),
  }),
  { minLength: 1, maxLength: 4 },
);
const cuts = fc.array(
  fc.record({
    after: fc.integer({ min: 1, max: 12 }),
    where: fc.constantFrom('here' as const, 'elsewhere' as const),
  }),
  { maxLength: 8 },
);

function scripted(plan: readonly { text: string; failures: number }[]): Model {
  const failed = new Map<number, number>();
  return scriptedModel(({ messages }) => {
    const index = messages.filter(({ role }) => role === 'assistant').length;
    const turn = plan[index];
    if (turn === undefined) return slowly('The end.');
    const before = failed.get(index) ?? 0;
    failed.set(index, before + 1);
    if (before < turn.failures) {
      const error = new ModelError('cut', { reason: 'network' });
      return { ...slowly(`void ${before}`), error };
    }
    return slowly(turn.text, { calls: [['note', {}]] });
  });
}

test.each(['in one process', 'with another that polls', 'with another over a side channel'])(
  'the law of cursors, %s',
  async (how) => {
    await fc.assert(
      fc.asyncProperty(turns, cuts, async (plan, places) => {
        const memory = memoryStore();
        const runs =
          how === 'with another over a side channel'
            ? { ...memory.runs, channel: channelDouble() }
            : memory.runs;
        const here: Store = { ...memory, runs };
        const elsewhere: Store = how === 'in one process' ? here : { ...memory, runs };
        const agent = new Agent({
          name: 'bot',
          model: scripted(plan),
          tools: [note],
          modelSettings: { retry: { initialDelayMs: 0 } },
        });
        const stream = new Runner(agent, { store: here }).stream('Go');
        const truth = new Truth();
        const ended = (async () => {
          for await (const event of stream) truth.take(event);
        })();
        const { runId } = await stream.started;
        const client = new Client();
        const connections = [...places, { after: Infinity, where: 'elsewhere' as const }];
        for (const { after, where } of connections) {
          const runner = new Runner(agent, { store: where === 'here' ? here : elsewhere });
          let received = 0;
          for await (const event of runner.events(runId, { cursor: client.cursor, follow: true })) {
            client.take(event);
            truth.check(client, event);
            received += 1;
            if (received >= after) break;
          }
        }
        await ended;
        expect((await stream.result).status).toBe('completed');
        expect(client.durable).toEqual(await journalOf(memory, runId));
        expect(client.pending.size).toBe(0);
      }),
      { numRuns: how === 'in one process' ? 80 : 20 },
    );
  },
);

test('deltas that come faster than the events before them are shown after them', async () => {
  const memory = memoryStore();
  const runs = { ...memory.runs, channel: channelDouble() };
  const here: Store = { ...memory, runs };
  const elsewhere: Store = { ...memory, runs };
  const there = gate();
  const model = scriptedModel([
    { text: 'First.', calls: [['note', {}]] },
    { text: 'Second.', beforeResponse: there },
  ]);
  const agent = new Agent({ name: 'bot', model, tools: [note] });
  const first = gate();
  const held = new Agent({
    name: 'bot',
    model: scriptedModel([{ before: first, text: 'x' }]),
  });
  const runner = new Runner(agent, { store: here });
  const { runId } = await runner.start('Go');
  const seen: Watched[] = [];
  const watching = (async () => {
    const events = new Runner(held, { store: elsewhere }).events(runId, { follow: true });
    for await (const event of events) seen.push(event);
  })();
  await eventually(() => seen.length === 1, 'the follower is there');
  const running = runner.resume(runId);
  await there.reached;
  await eventually(
    () => seen.some((event) => event.type === 'text-delta' && event.delta.startsWith('Second')),
    'the delta of the second turn',
  );
  const second = seen.findIndex(
    (event) => event.type === 'text-delta' && event.delta.startsWith('Second'),
  );
  expect(typesOf(seen.slice(0, second))).toContain('tool-result');
  there.open();
  await running;
  await watching;
});

test('a client that was cut while a process died folds what the next one recorded', async () => {
  const clock = testClock();
  const memory = memoryStore({ now: clock.now });
  const there = gate();
  const process = dyingStore(memory, { write: 99, when: 'after' });
  const dying = new Agent({
    name: 'bot',
    model: scriptedModel([{ text: 'Lost for ever', beforeResponse: there }]),
  });
  const stream = new Runner(dying, { store: process.store }).stream('Go');
  const client = new Client();
  const reading = (async () => {
    for await (const event of stream) client.take(event);
  })();
  reading.catch(() => undefined);
  await there.reached;
  await eventually(() => client.pending.get('f0')?.text === 'Lost for ever', 'the deltas');
  process.kill();
  clock.pass(60_000);
  const next = new Runner(new Agent({ name: 'bot', model: scriptedModel(['Found.']) }), {
    store: memory,
  });
  const done = next.resume(stream.runId);
  const after = next.events(stream.runId, { cursor: client.cursor, follow: true });
  const types: string[] = [];
  for await (const event of after) {
    client.take(event);
    types.push(event.type);
    if (event.type === 'run-resume') expect(client.pending.size).toBe(0);
  }
  expect((await done).response).toBe('Found.');
  expect(types[0]).toBe('run-resume');
  expect(client.durable).toEqual(await journalOf(memory, stream.runId));
});

test('without follow it ends with what is there; with a cursor it begins after it', async () => {
  const store = memoryStore();
  const runner = new Runner(new Agent({ name: 'bot', model: scriptedModel(['Hi.']) }), { store });
  const { runId } = await runner.start('Go');
  expect(typesOf(await collect(runner.events(runId)))).toEqual(['run-start']);
  await runner.resume(runId);
  const all = await journalOf(store, runId);
  for (const event of all) {
    const rest = await collect(runner.events(runId, { cursor: String(event.seq), follow: true }));
    expect(rest).toEqual(all.slice(event.seq));
  }
});

test.each(['x', '-1', '1.2', '1.a.b', '1.e.2.3', '9'.repeat(40)])(
  'the cursor %j is refused in words',
  async (cursor) => {
    const store = memoryStore();
    const runner = new Runner(new Agent({ name: 'bot', model: scriptedModel(['Hi.']) }), { store });
    const { runId } = await runner.run('Go');
    await expect(collect(runner.events(runId, { cursor }))).rejects.toMatchObject({
      code: 'user_error',
    });
  },
);

test('the events of an unknown run are not found', async () => {
  const runner = new Runner(new Agent({ name: 'bot', model: scriptedModel([]) }), {
    store: memoryStore(),
  });
  await expect(collect(runner.events('nope'))).rejects.toMatchObject({ code: 'not_found' });
});

test('a follower leaves with its signal, or when the run is deleted', async () => {
  const store = memoryStore();
  const agent = new Agent({ name: 'bot', model: scriptedModel([]) });
  const runner = new Runner(agent, { store });
  const { runId } = await runner.start('Go');
  const abort = new AbortController();
  const leaving = collect(runner.events(runId, { follow: true, signal: abort.signal }));
  const staying = collect(runner.events(runId, { follow: true }));
  await tick();
  abort.abort();
  expect(typesOf(await leaving)).toEqual(['run-start']);
  await store.runs.delete(runId);
  expect(typesOf(await staying)).toEqual(['run-start']);
});

test('a follower of a run that waits ends with the pause, and follows on when it is resumed', async () => {
  const ask = tool({
    name: 'ask',
    description: 'Asks',
    parameters: z.object({}),
    needsApproval: true,
    execute: () => 'ok',
  });
  const store = memoryStore();
  const model = scriptedModel([{ calls: [['ask', {}]] }, 'Done.']);
  const runner = new Runner(new Agent({ name: 'bot', model, tools: [ask] }), { store });
  const { runId } = await runner.start('Go');
  const until = collect(runner.events(runId, { follow: true }));
  const paused = await runner.resume(runId);
  const first = (await until).filter(isDurable);
  expect(first.at(-1)?.type).toBe('run-pause');
  await runner.resume(
    runId,
    paused.interruptions.map(({ id }) => ({ interruptionId: id, approved: true as const })),
  );
  const rest = await collect(runner.events(runId, { cursor: String(first.at(-1)?.seq) }));
  expect([...first, ...rest]).toEqual(await journalOf(store, runId));
});

// The run's own stream, as text.

test('textStream gives the text of all turns as it is produced', async () => {
  const model = scriptedModel([{ text: 'Let me see. ', calls: [['note', {}]] }, 'It is noted.']);
  const stream = new Runner(new Agent({ name: 'bot', model, tools: [note] })).stream('Go');
  expect((await collect(stream.textStream())).join('')).toBe('Let me see. It is noted.');
});

function interrupted() {
  const model = scriptedModel([
    { text: 'Half an ans', error: new ModelError('cut', { reason: 'network' }) },
    'Whole.',
  ]);
  const modelSettings = { retry: { initialDelayMs: 0 } };
  return new Runner(new Agent({ name: 'bot', model, modelSettings }));
}

test('text that is withdrawn is an error, unless its reader takes the restart', async () => {
  await expect(collect(interrupted().stream('Go').textStream())).rejects.toMatchObject({
    code: 'text_withdrawn',
  });
  let text = '';
  const stream = interrupted().stream('Go');
  for await (const piece of stream.textStream({
    onRestart: () => {
      text = '';
    },
  })) {
    text += piece;
  }
  expect(text).toBe('Whole.');
});

test('an attempt that failed before it said anything withdraws nothing', async () => {
  const model = scriptedModel([new ModelError('busy', { reason: 'overloaded' }), 'Whole.']);
  const modelSettings = { retry: { initialDelayMs: 0 } };
  const runner = new Runner(new Agent({ name: 'bot', model, modelSettings }));
  expect((await collect(runner.stream('Go').textStream())).join('')).toBe('Whole.');
});

test('a fallback voids what the first model said, and the response names the second', async () => {
  const first = scriptedModel(
    [{ text: 'From the fir', error: new ModelError('down', { reason: 'overloaded' }) }],
    { provider: 'one' },
  );
  const second = scriptedModel(['From the second.'], { provider: 'two' });
  const store = memoryStore();
  const modelSettings = { retry: { maxRetries: 0 } };
  const agent = new Agent({ name: 'bot', model: fallback(first, second), modelSettings });
  const stream = new Runner(agent, { store }).stream('Go');
  const client = new Client();
  const types: string[] = [];
  for await (const event of stream) {
    client.take(event);
    types.push(event.type);
  }
  expect(types).toContain('void');
  expect(types).toContain('model-fallback');
  const journal = await journalOf(store, stream.runId);
  expect(journal.find((event) => event.type === 'model-response')).toMatchObject({
    provider: 'two',
    attempts: [{ provider: 'one', reason: 'overloaded' }],
  });
  ok(client.pending.size === 0, 'nothing is left of the deltas');
});

test('textStream ends with an error when the run fails', async () => {
  const model = scriptedModel([new ModelError('no', { reason: 'authentication' })]);
  const stream = new Runner(new Agent({ name: 'bot', model })).stream('Go');
  await expect(collect(stream.textStream())).rejects.toMatchObject({ code: 'model_error' });
});

test('a detached stream that is read on shows everything', async () => {
  const model = scriptedModel([{ text: 'Let me see. ', calls: [['note', {}]] }, 'It is noted.']);
  const stream = new Runner(new Agent({ name: 'bot', model, tools: [note] })).stream('Go');
  stream.detach();
  const types = typesOf((await collect(stream)).filter(isDurable));
  expect(types.at(-1)).toBe('run-end');
  expect(types).toHaveLength(7);
});

test('events are read in one place, and asked for side by side they come in order', async () => {
  const stream = new Runner(new Agent({ name: 'bot', model: scriptedModel(['Hi.']) })).stream('Go');
  const events = stream[Symbol.asyncIterator]();
  expect(() => stream[Symbol.asyncIterator]()).toThrow('read already');
  const asked = await Promise.all([events.next(), events.next(), events.next(), events.next()]);
  expect(asked.map(({ value }) => (value === undefined ? 'end' : value.type))).toEqual([
    'run-start',
    'turn-start',
    'text-delta',
    'model-response',
  ]);
});
