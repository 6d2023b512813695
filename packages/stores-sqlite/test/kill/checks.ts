import {
  isDurable,
  textOf,
  type RunEvent,
  type RunResult,
  type SessionSnapshot,
  type Watched,
} from '@agent-functions/core';
import type { Scenario } from './scenario.ts';

// What must hold of a run, whatever was killed.

/** The result is the one of a run that was not killed. */
export function checkResult(result: RunResult<unknown>, scenario: Scenario, where: string): void {
  expectEqual([result.status, result.error?.message], ['completed', undefined], `${where}: end`);
  expectEqual(result.finalOutput, scenario.answer, `${where}: answer`);
  expectEqual(result.toolResults.length, scenario.calls, `${where}: tool results`);
  expectEqual(result.usage.requests, scenario.requests, `${where}: model responses`);
  const hops = result.hops.map(({ from, primitive, to }) => `${from} ${primitive} ${to}`);
  expectEqual(hops, scenario.hops ?? [], `${where}: hops`);
  const path = [result.agent, ...result.hops.map(({ to }) => to)];
  expectEqual(result.handoffPath, path, `${where}: handoff path`);
}

/** No `once` effect happened twice, none without a record, and none that is recorded as done did not happen. */
export function checkEffects(
  events: readonly RunEvent[],
  counts: ReadonlyMap<string, number>,
  where: string,
): number {
  const effects = new Map<string, string>();
  let unknown = 0;
  for (const event of events) {
    if (event.type === 'tool-start') effects.set(event.callId, event.effect);
    if (event.type !== 'tool-result') continue;
    const times = counts.get(`${event.runId}/${event.callId}`) ?? 0;
    const effect = effects.get(event.callId);
    if (effect === 'once' && times > 1)
      throw new Error(`${where}: ${event.callId} happened ${times} times`);
    if ((event.how === 'ran' || event.how === 'reconciled') && times === 0) {
      throw new Error(`${where}: ${event.callId} is recorded as done and never happened`);
    }
    if (event.how === 'unknown-outcome') unknown += 1;
  }
  const runId = events[0]?.runId;
  for (const key of counts.keys()) {
    const [run, callId = ''] = key.split('/');
    if (run === runId && !effects.has(callId))
      throw new Error(`${where}: ${callId} is not recorded`);
  }
  return unknown;
}

/** The law of cursors: each durable event once and in order; the text that was folded agrees with what was recorded. */
export function checkWatcher(
  seen: readonly (Watched | 'cut')[],
  events: readonly RunEvent[],
  where: string,
): void {
  const durable = seen.filter((event) => event !== 'cut').filter(isDurable);
  expectEqual(
    durable.map(({ seq }) => seq),
    events.map(({ seq }) => seq),
    `${where}: watched events`,
  );
  // What was shown before a cut may be void by now without a word, until more of the same attempt comes.
  const shown = new Map<string, { epoch: string; text: string; cut: boolean }>();
  for (const event of seen) {
    if (event === 'cut') for (const text of shown.values()) text.cut = true;
    else if (isDurable(event)) {
      if (event.type === 'run-resume') shown.clear();
      if (event.type !== 'model-response' || event.purpose !== 'turn') continue;
      const text = textOf(event.message);
      const folded = shown.get(event.frame);
      if (folded?.cut === false && !text.startsWith(folded.text)) {
        throw new Error(
          `${where}: showed ${JSON.stringify(folded.text)} of ${JSON.stringify(text)}`,
        );
      }
      shown.delete(event.frame);
    } else if (event.type === 'void') shown.delete(event.frame);
    else if (event.type === 'text-delta') {
      const { frame, epoch, delta } = event;
      const before = shown.get(frame);
      const text = before?.epoch === epoch ? before.text + delta : delta;
      shown.set(frame, { epoch, text, cut: false });
    }
  }
}

/** No agent failed behind an answer that reads well. */
export function checkFrames(events: readonly RunEvent[], where: string): void {
  for (const event of events) {
    if (event.type !== 'frame-end' || event.error === undefined) continue;
    throw new Error(`${where}: ${event.agent} failed: ${event.error.message}`);
  }
}

/** The session is free and has what was said in the conversation, once. */
export function checkSession(
  session: SessionSnapshot,
  {
    scenario,
    result,
    events,
    where,
  }: {
    readonly scenario: Scenario;
    readonly result: RunResult<unknown>;
    readonly events: readonly RunEvent[];
    readonly where: string;
  },
): void {
  const { messages } = session;
  expectEqual(session.activeRunId ?? null, null, `${where}: session is free`);
  expectEqual(session.activeAgent, scenario.next ?? result.agent, `${where}: who is next`);
  expectEqual(session.closed ?? false, scenario.closes ?? false, `${where}: closed`);
  expectEqual(messages, result.newMessages, `${where}: only this run's messages`);
  expectEqual(new Set(messages.map(({ id }) => id)).size, messages.length, `${where}: each once`);
  // An agent that was called answers by a message of its own.
  const said = messages.filter(({ role, id }) => role === 'assistant' && !id.endsWith('.answer'));
  expectEqual(said.length, turnsOf(events), `${where}: turns in the session`);
}

/** The turns that are the conversation: of who was asked, and of whom the conversation was handed over to. */
function turnsOf(events: readonly RunEvent[]): number {
  const frames = new Set<string>();
  let turns = 0;
  for (const event of events) {
    if (event.type === 'run-start') frames.add(event.frame);
    const { type, frame } = event;
    if (!frames.has(frame)) continue;
    if (type === 'handoff' && (event.primitive === 'transfer' || event.primitive === 'route')) {
      frames.add(event.childFrame);
    }
    if (type === 'model-response' && event.purpose === 'turn') turns += 1;
  }
  return turns;
}

export function expectEqual(actual: unknown, expected: unknown, what: string): void {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (a !== b) throw new Error(`${what}: expected ${b}, got ${a}`);
}
