import { expect, test } from 'vitest';
import { z } from 'zod';
import { comparable, dyingStore, journalOf, reloaded, testClock } from '../test/engine.ts';
import { Agent } from './agent.ts';
import { ModelError } from './errors.ts';
import type { RunEvent } from './events.ts';
import { memoryStore } from './memory-store.ts';
import { textOf } from './message.ts';
import type { ModelRequest } from './model.ts';
import { ReflectionAgent } from './reflection-agent.ts';
import type { RunResult } from './run-result.ts';
import { Runner } from './runner.ts';
import type { Store } from './store.ts';
import { scriptedModel, type ScriptedTurn } from './testing/index.ts';
import { tool } from './tool.ts';

// A run with reflection is a fold of its steps like any other: whoever takes the next one, wherever, however often it
// was cut.

function said({ messages }: ModelRequest): string {
  return messages.map(textOf).join('\n');
}

/** What is outside of the processes: how often something was asked or done. */
interface World {
  readonly asked: string[];
  readonly effects: string[];
}

interface Case {
  readonly name: string;
  /** What the writer's model answers when it has read this. */
  readonly write: (read: string) => ScriptedTurn;
  /** What the judge answers about the draft; `nth`: how often it was asked about it in this process. */
  readonly judge: (draft: string, nth: number) => ScriptedTurn;
  readonly handedTo?: boolean | undefined;
}

const scores: Readonly<Record<string, number>> = { One: 0.3, Two: 0.6, Three: 0.2 };

function judged(draft: string): ScriptedTurn {
  const quality = scores[draft] ?? 0;
  return { json: { scores: { quality }, feedback: `Not ${draft}.` } };
}

function inOrder(read: string): ScriptedTurn {
  if (read.includes('Not Two')) return 'Three';
  if (read.includes('seen')) return 'Two';
  if (read.includes('Not One')) return { text: 'Looking.', calls: [['look', {}]] };
  return 'One';
}

const cases: readonly Case[] = [
  { name: 'a tool while rewriting, and a worse rewrite', write: inOrder, judge: judged },
  {
    name: 'a judge of nonsense',
    write: inOrder,
    judge: (draft) => (draft === 'Two' ? 'Nice.' : judged(draft)),
  },
  {
    name: 'a judge that is understood the second time',
    write: inOrder,
    judge: (draft, nth) => (nth % 2 === 1 ? 'Nice.' : judged(draft)),
  },
  {
    name: 'a rewrite that fails',
    write: (read) =>
      read.includes('Not Two')
        ? new ModelError('no', { reason: 'invalid-request' })
        : inOrder(read),
    judge: judged,
  },
  { name: 'inside a handoff', write: inOrder, judge: judged, handedTo: true },
];

/** The entry agent as a fresh process has it. */
function agentOf({ write, judge, handedTo }: Case, world: World) {
  const times = new Map<string, number>();
  const look = tool({
    name: 'look',
    description: 'Looks.',
    parameters: z.object({}),
    effect: 'idempotent',
    execute: (_input, { callId }) => {
      world.effects.push(callId);
      return 'seen';
    },
  });
  const writer = new ReflectionAgent<unknown, unknown>({
    name: 'writer',
    model: scriptedModel((request) => {
      const read = request.messages
        .flatMap(({ parts }) => parts.map((part) => JSON.stringify(part)))
        .join('\n');
      return write(read);
    }),
    evaluationModel: scriptedModel((request) => {
      const draft = /Answer:\n(.*)/.exec(said(request))?.[1] ?? '';
      world.asked.push(draft);
      const nth = (times.get(draft) ?? 0) + 1;
      times.set(draft, nth);
      return judge(draft, nth);
    }),
    tools: [look],
    criteria: ['quality'],
    maxReflectionIterations: 2,
    reflectionThreshold: 0.9,
    modelSettings: { retry: { maxRetries: 0 } },
  });
  if (handedTo !== true) return writer;
  return new Agent<unknown, unknown>({
    name: 'desk',
    model: scriptedModel(() => ({ calls: [['handoff_to_writer', { message: 'Go.' }]] })),
    handoffs: [writer],
  });
}

const newWorld = (): World => ({ asked: [], effects: [] });

/** Without the starts of calls that were cut and begun again. */
function startedOnce(journal: readonly RunEvent[]): RunEvent[] {
  const started = new Set<string>();
  return journal.filter((event) => {
    if (event.type !== 'tool-start') return true;
    const first = !started.has(event.callId);
    started.add(event.callId);
    return first;
  });
}

function seen(result: RunResult<unknown>): unknown {
  const { status, finalOutput, response, toolResults, newMessages, usage, error } = result;
  const { reflection } = result;
  const facts = { status, finalOutput, response, toolResults, newMessages, usage, error };
  return JSON.parse(JSON.stringify({ ...facts, reflection }).replaceAll(result.runId, 'RUN'));
}

async function whole(one: Case) {
  const world = newWorld();
  const store = memoryStore();
  const result = await new Runner(agentOf(one, world), { store }).run('Write.', { sessionId: 's' });
  return { world, store, result, journal: await journalOf(store, result.runId) };
}

test.each(cases)(
  'step by step, each in a new process, it comes to the same: $name',
  async (one) => {
    const { world, result, journal } = await whole(one);
    expect(result.reflection?.history).toHaveLength(one.name.includes('nonsense') ? 2 : 3);
    expect([result.status, result.response]).toEqual([
      'completed',
      one.name.includes('nonsense') ? 'One' : 'Two',
    ]);
    const steps = newWorld();
    let store: Store = memoryStore();
    const { runId } = await new Runner(agentOf(one, steps), { store }).start('Write.', {
      sessionId: 's',
    });
    for (let status = 'running'; status === 'running';) {
      store = await reloaded(store, runId);
      ({ status } = await new Runner(agentOf(one, steps), { store }).step(runId));
    }
    const end = await new Runner(agentOf(one, steps), { store }).get(runId);
    if (end === undefined || end.status === 'running') throw new Error('The run has not ended.');
    expect(seen(end)).toEqual(seen(result));
    expect(comparable(await journalOf(store, runId))).toEqual(comparable(journal));
    expect(steps).toEqual(world);
  },
);

test.each(cases)(
  'cut at every write, it comes to the same, and what was judged is not judged again: $name',
  async (one) => {
    const { result, journal } = await whole(one);
    for (const when of ['before', 'after'] as const) {
      for (let write = 1; ; write += 1) {
        const world = newWorld();
        const clock = testClock();
        const store = memoryStore({ now: clock.now });
        const crash = dyingStore(store, { write, when });
        const first = new Runner(agentOf(one, world), { store: crash.store });
        const life = first.run('Write.', { sessionId: 's' });
        const ended = await Promise.race([life.then(() => true), crash.gone.then(() => false)]);
        if (ended) break;
        const [header] = (await store.runs.list({ limit: 1 })).runs;
        if (header === undefined) continue; // It died before there was a run.
        const recorded = await journalOf(store, header.runId);
        const known = recorded.filter(({ type }) => type === 'reflection').length;
        const askedBefore = world.asked.length;
        clock.pass(60_000);
        const second = new Runner(agentOf(one, world), { store });
        const again = await second.resume(header.runId);
        const after = await journalOf(store, header.runId);
        expect(after.slice(0, recorded.length)).toEqual(recorded);
        expect(comparable(startedOnce(after))).toEqual(comparable(journal));
        expect(seen(again)).toEqual(seen(result));
        // The drafts that have a judgement are not asked about a second time.
        const drafts = ['One', 'Two', 'Three'].slice(0, known);
        expect(world.asked.slice(askedBefore).filter((draft) => drafts.includes(draft))).toEqual(
          [],
        );
        const { messages } = await store.sessions.load('s');
        expect(messages).toEqual(again.newMessages);
      }
    }
  },
);

/** Nobody goes on before `count` are there; who came first goes last. */
function meeting(count: number): () => Promise<void> {
  let waiting: (() => void)[] = [];
  return () =>
    new Promise((resolve) => {
      waiting.push(resolve);
      if (waiting.length < count) return;
      const all = waiting;
      waiting = [];
      for (const goOn of all.toReversed()) goOn();
    });
}

test('a hundred runs of one agent at once do not mix', async () => {
  const count = 100;
  const together = meeting(count);
  const numberOf = (text: string) => Number(/Write (\d+)\./.exec(text)?.[1]);
  const model = scriptedModel(async (request) => {
    const text = said(request);
    const told = [...text.matchAll(/Better: (\d+) of (\d+)/g)];
    await together();
    const mixed = told.some(([, , of]) => Number(of) !== numberOf(text));
    return mixed ? `Mixed: ${text}` : `Draft ${told.at(-1)?.[1] ?? 0} of ${numberOf(text)}.`;
  });
  // Every third run has its best draft first, every third second, every third last.
  const judge = scriptedModel(async (request) => {
    const text = said(request);
    const n = numberOf(text);
    const [, draft, of] = /Draft (\d+) of (\d+)\./.exec(text) ?? [];
    await together();
    if (Number(of) !== n) return `Mixed: ${text}`;
    const quality = Number(draft) === n % 3 ? 0.7 : 0.1 + n / 1_000;
    return { json: { scores: { quality }, feedback: `Better: ${Number(draft) + 1} of ${n}` } };
  });
  const agent = new ReflectionAgent({
    name: 'writer',
    model,
    evaluationModel: judge,
    criteria: ['quality'],
    maxReflectionIterations: 2,
  });
  const store = memoryStore();
  const runner = new Runner(agent, { store });
  const results = await Promise.all(
    Array.from({ length: count }, (_, n) => runner.run(`Write ${n}.`, { sessionId: `s${n}` })),
  );
  expect([model.calls, judge.calls]).toEqual([3 * count, 3 * count]);
  for (const [n, result] of results.entries()) {
    expect(result.response).toBe(`Draft ${n % 3} of ${n}.`);
    expect(result.reflection).toMatchObject({ score: 0.7, iterations: 2 });
    expect(result.reflection?.history.map(({ feedback }) => feedback)).toEqual(
      [1, 2, 3].map((next) => `Better: ${next} of ${n}`),
    );
    expect(result.usage.requests).toBe(6);
    const { messages } = await store.sessions.load(`s${n}`);
    expect(messages.map(textOf)).toEqual([`Write ${n}.`, `Draft ${n % 3} of ${n}.`]);
    await journalOf(store, result.runId);
  }
});
