import {
  keyedRunId,
  textOf,
  type Message,
  type RunHeader,
  type Store,
} from '@agent-functions/core';
import { collect, verifyJournal } from '@agent-functions/core/testing';
import { checkEffects, expectEqual } from '../kill/checks.ts';
import { answerTo } from './bot.ts';
import type { Said } from './chat-client.ts';

// What the store must hold after the traffic, whatever was killed, cut and sent twice.

export async function checkStore(
  store: Store,
  said: readonly Said[],
  counts: ReadonlyMap<string, number>,
): Promise<{ readonly events: number; readonly unknown: number }> {
  const { runs: open } = await store.runs.list({ unfinished: true, limit: 100 });
  expectEqual(open, [], 'runs that have not ended');
  const ids = (await allRuns(store)).map(({ runId }) => runId);
  const own = said.map(({ runId }) => runId);
  expectEqual(ids.toSorted(byText), own.toSorted(byText), 'one run for each key, and no other');
  let events = 0;
  let unknown = 0;
  for (const chat of said) {
    const found = await checkRun(store, chat, counts);
    events += found.events;
    unknown += found.unknown;
  }
  for (const [sessionId, chats] of Map.groupBy(said, (each) => each.sessionId)) {
    await checkSession(store, sessionId, chats);
  }
  return { events, unknown };
}

async function checkRun(
  store: Store,
  { key, runId, message, response }: Said,
  counts: ReadonlyMap<string, number>,
): Promise<{ readonly events: number; readonly unknown: number }> {
  expectEqual(runId, await keyedRunId(undefined, 'bot', key), `${message}: the run of its key`);
  const journal = await collect(store.runs.read(runId));
  verifyJournal(journal);
  const end = journal.at(-1);
  if (end?.type !== 'run-end') throw new Error(`${message}: the journal ends with ${end?.type}`);
  expectEqual([end.status, end.response], ['completed', response], `${message}: end`);
  return { events: journal.length, unknown: checkEffects(journal, counts, message) };
}

/** Free, and of each of its chats, one after the other, the whole: asked, called, done, answered. */
async function checkSession(
  store: Store,
  sessionId: string,
  chats: readonly Said[],
): Promise<void> {
  const { activeRunId, messages } = await store.sessions.load(sessionId);
  expectEqual(activeRunId ?? null, null, `${sessionId} is free`);
  const byRun = new Map(chats.map((chat) => [chat.runId, chat]));
  for (let place = 1; byRun.size > 0; place += 1) {
    const turn = messages.slice((place - 1) * 4, place * 4);
    const runId = turn[0]?.runId ?? 'no run';
    const chat = byRun.get(runId);
    if (chat === undefined)
      throw new Error(`${sessionId}: ${runId} is there twice, or not its own`);
    byRun.delete(runId);
    const where = `${sessionId}, ${chat.message}`;
    expectEqual(
      turn.map((one) => [one.runId, one.role]),
      ['user', 'assistant', 'tool', 'assistant'].map((role) => [runId, role]),
      `${where}: messages`,
    );
    expectEqual(said(turn[0]), chat.message, `${where}: question`);
    // It says how much of the conversation the model was shown.
    expectEqual(said(turn[3]), answerTo(chat.message, place), `${where}: answer`);
    expectEqual(chat.response, answerTo(chat.message, place), `${where}: what the client was told`);
  }
  expectEqual(messages.length, chats.length * 4, `${sessionId}: nothing else`);
}

async function allRuns(store: Store): Promise<readonly RunHeader[]> {
  const all: RunHeader[] = [];
  let cursor: string | undefined;
  do {
    const page = await store.runs.list({ limit: 100, cursor });
    all.push(...page.runs);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return all;
}

function said(message: Message | undefined): string {
  return message === undefined ? '' : textOf(message);
}

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
