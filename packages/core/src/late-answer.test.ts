import { expect, test } from 'vitest';
import { z } from 'zod';
import { journalOf, reloaded, testClock } from '../test/engine.ts';
import { Agent } from './agent.ts';
import type { Decision, Interruption } from './interruption.ts';
import type { Json } from './json.ts';
import { memoryStore } from './memory-store.ts';
import { askForInput, waitForCallback } from './question.ts';
import { Runner } from './runner.ts';
import type { PostResult, Signal, Store } from './store.ts';
import { scriptedModel } from './testing/index.ts';
import { tool, type Tool } from './tool.ts';

// An answer that comes days after the question, to a process that knows nothing but the store.

const day = 86_400_000;

/** The app as any process builds it. `did` is what the outside saw. */
function app(did: unknown[], approvalTimeoutMs?: number): Agent {
  const parameters = z.object({ amount: z.number() });
  const act = (input: unknown): string => {
    did.push(input);
    return 'done';
  };
  const tools: Tool[] = [
    tool({
      name: 'refund',
      description: 'Refunds',
      parameters,
      needsApproval: true,
      approvalTimeoutMs,
      execute: act,
    }),
    tool({
      name: 'ask',
      description: 'Asks',
      parameters,
      execute: (_input, { answer }) =>
        answer === undefined ? askForInput({ message: 'Which account?' }) : act(answer),
    }),
    tool({
      name: 'wait',
      description: 'Waits',
      parameters,
      execute: () => waitForCallback({ message: 'A job runs.' }),
    }),
  ];
  const model = scriptedModel(
    ({ messages }) => {
      const asked = messages.find(({ role }) => role === 'user')?.parts[0];
      if (asked?.type !== 'text') throw new Error('a text is asked');
      return messages.some(({ role }) => role === 'tool')
        ? 'Done.'
        : { calls: [[asked.text, { amount: 100 }]] };
    },
    { by: 'conversation' },
  );
  return new Agent({ name: 'clerk', model, tools });
}

/** A run that asks, and what another process finds of it so much later. */
async function asked(
  toolName: string,
  laterMs: number,
  approvalTimeoutMs?: number,
): Promise<{ store: Store; runId: string; asks: Interruption; did: unknown[] }> {
  const clock = testClock();
  const first = memoryStore({ now: clock.now });
  const runner = new Runner(app([], approvalTimeoutMs), { store: first });
  const { runId, interruptions } = await runner.run(toolName, { sessionId: 's' });
  clock.pass(laterMs);
  const [asks] = interruptions;
  if (asks === undefined) throw new Error('nothing was asked');
  return { store: await reloaded(first, runId, { now: clock.now }), runId, asks, did: [] };
}

const signal = (id: string, decision: Decision): Signal => ({
  id,
  type: 'decide',
  by: id,
  decisions: [decision],
});

interface Case {
  readonly toolName: string;
  /** Two different answers of its form. */
  readonly answers: (id: string) => readonly [Decision, Decision];
  /** What the outside sees of each. */
  readonly effects: readonly [Json, Json];
  readonly misfit: (id: string) => Decision;
}

const cases: readonly Case[] = [
  {
    toolName: 'refund',
    answers: (interruptionId) => [
      { interruptionId, approved: true, input: { amount: 10 } },
      { interruptionId, approved: true, input: { amount: 20 } },
    ],
    effects: [[{ amount: 10 }], [{ amount: 20 }]],
    misfit: (interruptionId) => ({ interruptionId, outcome: 'not-done' }),
  },
  {
    toolName: 'refund',
    answers: (interruptionId) => [
      { interruptionId, approved: true, input: { amount: 10 } },
      { interruptionId, approved: false, message: 'No.' },
    ],
    effects: [[{ amount: 10 }], []],
    misfit: (interruptionId) => ({ interruptionId, approved: true, input: { amount: 'all' } }),
  },
  {
    toolName: 'ask',
    answers: (interruptionId) => [
      { interruptionId, answer: 'savings' },
      { interruptionId, answer: 'current' },
    ],
    effects: [['savings'], ['current']],
    misfit: (interruptionId) => ({ interruptionId, approved: true }),
  },
  {
    toolName: 'wait',
    answers: (interruptionId) => [
      { interruptionId, answer: { job: 'ok' } },
      { interruptionId, answer: { job: 'failed' } },
    ],
    effects: [[], []],
    misfit: (interruptionId) => ({ interruptionId, outcome: 'done', output: 1 }),
  },
];

test('two answers three days later, at once, in two processes: one counts, and the other learns which', async () => {
  for (const { toolName, answers, effects } of cases) {
    for (const order of [
      [0, 1],
      [1, 0],
    ] as const) {
      const { store, runId, asks, did } = await asked(toolName, 3 * day);
      const signals = answers(asks.id).map((decision, n) => signal(`by ${n}`, decision));
      const results: PostResult[] = [];
      const runners = [new Runner(app(did), { store }), new Runner(app(did), { store })];
      await Promise.all(
        order.map(async (n) => {
          const sent = signals[n];
          if (sent === undefined) throw new Error('two answers');
          results[n] = (await runners[n]?.post(runId, sent)) ?? { accepted: false };
        }),
      );
      const first = results.findIndex(({ accepted }) => accepted);
      const late = first === 0 ? 1 : 0;
      expect(results[late]).toEqual({ accepted: false, counted: signals[first] });

      const [one, two] = await Promise.all(runners.map((runner) => runner.resume(runId)));
      expect([one?.status, two?.status]).toEqual(['completed', 'completed']);
      expect(did).toEqual(effects[first]);
      // Also when the run has long ended, sent once more, and by somebody new.
      for (const [n, sent] of signals.entries()) {
        expect(await runners[n]?.post(runId, sent)).toEqual(results[n]);
      }
      const journal = await journalOf(store, runId);
      const decided = journal.filter((event) => event.type === 'decision');
      expect(decided).toMatchObject([{ by: `by ${first}`, decision: answers(asks.id)[first] }]);
      const { activeRunId, messages } = await store.sessions.load('s');
      expect(activeRunId).toBeUndefined();
      expect(messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'tool', 'assistant']);
      // What the model wrote stays as it was written.
      expect(messages[1]?.parts).toMatchObject([{ toolName, input: { amount: 100 } }]);
    }
  }
});

test('an answer of the wrong form is refused three days later, too, and the right one still counts', async () => {
  for (const { toolName, answers, effects, misfit } of cases) {
    const { store, runId, asks, did } = await asked(toolName, 3 * day);
    const runner = new Runner(app(did), { store });
    await expect(runner.resume(runId, [misfit(asks.id)])).rejects.toMatchObject({
      code: 'approval_invalid',
    });
    expect(await store.runs.inbox(runId)).toEqual([]);
    const result = await runner.resume(runId, [answers(asks.id)[0]]);
    expect(result.status).toBe('completed');
    expect(did).toEqual(effects[0]);
    await journalOf(store, runId);
  }
});

test('an answer that comes after its time, in another process, changes nothing: the run goes on refused', async () => {
  const { store, runId, asks, did } = await asked('refund', 3 * day, 2 * day);
  const runner = new Runner(app(did), { store });
  const late = { interruptionId: asks.id, approved: true, input: { amount: 10 } } as const;
  expect(await runner.post(runId, signal('late', late))).toMatchObject({ accepted: false });
  const result = await runner.resume(runId);
  expect(result).toMatchObject({ status: 'completed', toolResults: [{ isError: true }] });
  expect(did).toEqual([]);
  await expect(runner.resume(runId, [late])).rejects.toMatchObject({ code: 'approval_invalid' });
  const journal = await journalOf(store, runId);
  expect(journal.filter(({ type }) => type === 'decision')).toMatchObject([{ by: 'system' }]);
});

test('an answer on its last day counts', async () => {
  const { store, runId, asks, did } = await asked('refund', 2 * day - 1, 2 * day);
  const yes = { interruptionId: asks.id, approved: true } as const;
  const result = await new Runner(app(did), { store }).resume(runId, [yes]);
  expect(result.status).toBe('completed');
  expect(did).toEqual([{ amount: 100 }]);
  await journalOf(store, runId);
});
