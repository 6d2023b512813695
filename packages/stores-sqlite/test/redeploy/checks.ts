import { textOf, type Message, type RunEvent, type SessionSnapshot } from '@agent-functions/core';
import { verifyJournal } from '@agent-functions/core/testing';
import { checkEffects, expectEqual } from '../kill/checks.ts';
import type { Left } from './client.ts';

// What must hold of a run that one version left and the next one ended.

/** The run came to what its plan says, and says so; what was recorded before stays. */
export function checkRun(
  { plan }: Left,
  events: readonly RunEvent[],
  { cut, counts }: { readonly cut: number; readonly counts: ReadonlyMap<string, number> },
): void {
  const where = plan.name;
  verifyJournal(events);
  checkEffects(events, counts, where);
  const end = events.at(-1);
  if (end?.type !== 'run-end') throw new Error(`${where}: the last event is ${end?.type}`);
  const expected = plan.end === 'completed' ? ['completed', null] : ['failed', plan.end];
  expectEqual([end.status, end.error?.code ?? null], expected, `${where}: end`);
  if (end.status === 'completed' && end.response === '') throw new Error(`${where}: says nothing`);
  if (plan.end === 'agent_gone' && !/oracle|museum/.test(end.error?.message ?? '')) {
    throw new Error(`${where}: does not say who is gone: ${end.error?.message}`);
  }
  if (plan.result !== undefined) {
    const [tool, how, isError] = plan.result;
    const result = events.findLast(
      (event) => event.type === 'tool-result' && event.toolName === tool,
    );
    if (result?.type !== 'tool-result') throw new Error(`${where}: ${tool} has no result`);
    expectEqual([result.how, result.isError], [how, isError], `${where}: ${tool}`);
  }
  checkTold(plan.name, events, cut);
}

/** What the model was told is the version's that asked it: from the next turn on the new one's. */
function checkTold(where: string, events: readonly RunEvent[], cut: number): void {
  for (const event of events) {
    if (event.type !== 'model-response') continue;
    const told = textOf(event.message);
    const version = event.seq <= cut ? 'version 1' : 'version 2';
    if (!told.includes(version)) {
      throw new Error(`${where}: event ${event.seq} of ${version} was told ${told}`);
    }
    if (event.seq <= cut || event.agent !== 'desk') continue;
    if (!told.includes('stamp') || /fax|scan|wire|oracle/.test(told)) {
      throw new Error(`${where}: event ${event.seq} was told ${told}`);
    }
  }
}

/** The conversation is free, complete and in order: a question, what was done, an answer, and the next question. */
export function checkSession(
  { plan, runId }: Left,
  { activeRunId, messages }: SessionSnapshot,
): void {
  const where = plan.name;
  expectEqual(activeRunId ?? null, null, `${where}: session is free`);
  expectEqual(new Set(messages.map(keyOf)).size, messages.length, `${where}: each message once`);
  const asked = messages.filter(({ role }) => role === 'user');
  const questions = [...(plan.before === undefined ? [] : [plan.before]), plan.name, 'and then?'];
  expectEqual(asked.map(textOf), questions, `${where}: questions`);
  for (const [index, { role }] of messages.entries()) {
    const before = messages[index - 1]?.role ?? 'assistant';
    // Who takes over speaks after who handed over.
    const follows = role === 'user' ? before === 'assistant' : role !== 'tool' || before !== 'user';
    if (!follows) throw new Error(`${where}: ${role} after ${before} in ${runId}`);
  }
  expectEqual(messages.at(-1)?.role, 'assistant', `${where}: who has the last word`);
}

function keyOf({ runId, id }: Message): string {
  return `${runId} ${id}`;
}
