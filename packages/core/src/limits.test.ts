import { expect, test } from 'vitest';
import { z } from 'zod';
import { journalOf } from '../test/engine.ts';
import { Agent } from './agent.ts';
import type { RunLimits } from './events.ts';
import { memoryStore } from './memory-store.ts';
import { Runner } from './runner.ts';
import { fold } from './fold.ts';
import { workedMs } from './state.ts';
import { scriptedModel } from './testing/index.ts';
import { tool } from './tool.ts';

// Limits are outcomes: the run ends `stopped`, with what was done until then.

let ticks = 0;
const tick = tool({
  name: 'tick',
  description: 'Ticks',
  parameters: z.object({}),
  execute: () => (ticks += 1),
});

/** Calls its tool for ever. */
function endless(options: { readonly maxTurns?: number; readonly maxToolRounds?: number } = {}) {
  const model = scriptedModel(() => ({
    text: 'Once more.',
    calls: [['tick', {}]],
    usage: { inputTokens: 10, outputTokens: 5, costUsd: 0.5 },
  }));
  return { model, agent: new Agent({ name: 'bot', model, tools: [tick], ...options }) };
}

test.each<[RunLimits, string, number]>([
  [{ totalTokens: 45 }, 'total_tokens', 3],
  [{ outputTokens: 20 }, 'output_tokens', 4],
  [{ costUsd: 1 }, 'cost', 2],
  [{ events: 7 }, 'max_events', 2],
])('%j stops a run with %s after %i turns', async (limits, stopReason, turns) => {
  const { model, agent } = endless();
  const store = memoryStore();
  const result = await new Runner(agent, { store }).run('Go', { limits });
  expect(result).toMatchObject({ status: 'stopped', stopReason, finalOutput: undefined });
  expect(model.calls).toBe(turns);
  expect(result.toolResults).toHaveLength(turns);
  expect(result.usage.requests).toBe(turns);
  expect(() => result.orThrow()).toThrow(stopReason);
  await journalOf(store, result.runId);
});

test('an answer that reaches a limit is still the answer', async () => {
  const model = scriptedModel([{ text: 'Done.', usage: { outputTokens: 100 } }]);
  const limits = { outputTokens: 100 };
  const result = await new Runner(new Agent({ name: 'bot', model })).run('Go', { limits });
  expect(result.status).toBe('completed');
});

test('turns: the run counts before the agent, the agent before the runner, and ten otherwise', async () => {
  const counted = async (
    agent: { readonly maxTurns?: number; readonly maxToolRounds?: number },
    runner: { readonly maxTurns?: number },
    run: { readonly maxTurns?: number },
  ) => {
    const made = endless(agent);
    const result = await new Runner(made.agent, runner).run('Go', run);
    expect(result).toMatchObject({ status: 'stopped', stopReason: 'max_turns' });
    return made.model.calls;
  };
  expect(await counted({ maxTurns: 3 }, { maxTurns: 4 }, { maxTurns: 2 })).toBe(2);
  expect(await counted({ maxTurns: 3 }, { maxTurns: 4 }, {})).toBe(3);
  expect(await counted({ maxToolRounds: 3 }, { maxTurns: 4 }, {})).toBe(3);
  expect(await counted({}, { maxTurns: 4 }, {})).toBe(4);
  expect(await counted({}, {}, {})).toBe(10);
});

test('a limit holds across steps and processes', async () => {
  const store = memoryStore();
  const { runId } = await new Runner(endless().agent, { store }).start('Go', { maxTurns: 2 });
  const statuses: string[] = [];
  for (let step = 0; step < 4; step += 1) {
    statuses.push((await new Runner(endless().agent, { store }).step(runId)).status);
  }
  expect(statuses).toEqual(['running', 'stopped', 'stopped', 'stopped']);
  await journalOf(store, runId);
});

test('the wall clock leaves out pauses', async () => {
  const asked = tool({
    name: 'asked',
    description: 'Asks',
    parameters: z.object({}),
    needsApproval: true,
    execute: () => 'ok',
  });
  const store = memoryStore();
  const model = scriptedModel([{ calls: [['asked', {}]] }, 'Done.']);
  const runner = new Runner(new Agent({ name: 'bot', model, tools: [asked] }), { store });
  const paused = await runner.run('Go', { limits: { wallClockMs: 60_000 } });
  const [one] = paused.interruptions;
  const result = await runner.resume(paused.runId, [
    { interruptionId: one?.id ?? '', approved: true },
  ]);
  expect(result.status).toBe('completed');
  // The same journal with a night between the pause and the answer.
  const night = 8 * 3_600_000;
  const journal = await journalOf(store, result.runId);
  const pausedAt = journal.find(({ type }) => type === 'run-pause')?.seq ?? 0;
  const slow = journal.map((event) =>
    event.seq > pausedAt ? { ...event, at: event.at + night } : event,
  );
  const state = fold(slow);
  expect(
    state.lastAt - slow.reduce((first, { at }) => Math.min(first, at), Infinity),
  ).toBeGreaterThan(night - 1);
  expect(workedMs(state, state.lastAt)).toBeLessThan(60_000);
});

test.each([
  { maxTurns: 0 },
  { maxTurns: Number.NaN },
  { toolConcurrency: Number.NaN },
  { toolConcurrency: 0 },
  { limits: { wallClockMs: Number.POSITIVE_INFINITY } },
  { limits: { totalTokens: -1 } },
  { limits: { costUsd: Number.NaN } },
])('%o is refused before anything is recorded', async (options) => {
  const store = memoryStore();
  const runner = new Runner(new Agent({ name: 'bot', model: scriptedModel([]) }), { store });
  await expect(runner.run('Hi', options)).rejects.toMatchObject({ code: 'user_error' });
  expect((await store.runs.list({ limit: 1 })).runs).toEqual([]);
});

test.each([
  { maxTurns: 0 },
  { toolConcurrency: Number.NaN },
  { toolConcurrency: 0 },
  { maxOutputRetries: -1 },
  { maxToolResultBytes: 0 },
])('an agent with %o is refused', (options) => {
  expect(() => new Agent({ name: 'bot', ...options })).toThrow('must be');
});
