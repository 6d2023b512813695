import { Agent } from '../agent.ts';
import { textOf, type Message } from '../message.ts';
import { Runner } from '../runner.ts';
import { jsonSchema } from '../schema.ts';
import type { RunHeader, Store } from '../store.ts';
import { tool, type Tool } from '../tool.ts';
import { collect, equal, ok } from './assert.ts';
import { faultyStore, type FaultyStoreOptions } from './faulty-store.ts';
import { scriptedModel } from './scripted-model.ts';
import { verifyJournal } from './verify-journal.ts';

// Processes that run one agent over one store, and what must hold of what they leave.

/** What the tools of all processes did: the idempotency keys of their calls, as often as they ran. */
export type Deeds = { readonly [name in 'look' | 'note' | 'pay' | 'ask']: string[] };

export function noDeeds(): Deeds {
  return { look: [], note: [], pay: [], ask: [] };
}

/** One process: a runner on a handle of its own, until it is gone. */
export interface Process {
  readonly runner: Runner;
  /** Resolves when it is gone. */
  readonly gone: Promise<void>;
  readonly isGone: () => boolean;
  kill(): void;
}

/**
 * The agent calls the tools that the last user message names, a turn for each word (`pay+look`: two calls in one turn),
 * and answers with `Done: ` and that message.
 */
export function processOn(
  store: Store,
  deeds: Deeds,
  options: Omit<FaultyStoreOptions, 'until'> & {
    readonly leaseMs: number;
    /** Dies before or after that create, append or commit of its own. */
    readonly dies?: { readonly write: number; readonly when: 'before' | 'after' } | undefined;
  },
): Process {
  const { leaseMs, dies, ...faults } = options;
  const abort = new AbortController();
  const gone = new Promise<void>((resolve) => {
    abort.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  const kill = (): void => abort.abort();
  const handle = faultyStore(store, {
    ...faults,
    until: abort.signal,
    before: async (call) => {
      await faults.before?.(call);
      if (dies?.when === 'before' && dies.write === call.write) kill();
    },
    after: async (call) => {
      await faults.after?.(call);
      if (dies?.when === 'after' && dies.write === call.write) kill();
    },
  });
  const runner = new Runner(tellerOf(deeds), { store: handle, leaseMs });
  return { runner, gone, isGone: () => abort.signal.aborted, kill };
}

function tellerOf(deeds: Deeds): Agent {
  const parameters = jsonSchema({ type: 'object' }, { validate: (value) => value });
  const does = (name: keyof Deeds, effect: 'read' | 'idempotent' | 'once'): Tool =>
    tool({
      name,
      description: name,
      parameters,
      effect,
      needsApproval: name === 'ask',
      execute: async (_input, { idempotencyKey }) => {
        deeds[name].push(idempotencyKey);
        await new Promise<void>((done) => setTimeout(done, 2));
        return `${name} ran`;
      },
    });
  const tools = [
    does('look', 'read'),
    does('note', 'idempotent'),
    does('pay', 'once'),
    does('ask', 'once'),
  ];
  const names = new Set(tools.map((one) => one.name));
  const model = scriptedModel(
    ({ messages }, turn) => {
      const last = messages.findLast(({ role }) => role === 'user');
      const said = last === undefined ? '' : textOf(last);
      const turns = said
        .split(' ')
        .map((word) => word.split('+').filter((name) => names.has(name)))
        .filter((calls) => calls.length > 0);
      const calls = turns[turn];
      if (calls === undefined) return `Done: ${said}`;
      return { calls: calls.map((name) => [name, {}] as const) };
    },
    { by: 'conversation', record: false },
  );
  return new Agent({ name: 'teller', model, tools });
}

/** Every run of a store. */
export async function runsOf(store: Store): Promise<readonly RunHeader[]> {
  const all: RunHeader[] = [];
  let cursor: string | undefined;
  do {
    const page = await store.runs.list({ limit: 50, cursor });
    all.push(...page.runs);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return all;
}

/**
 * What holds at any moment: every journal is a good one; a session that does not name a run which has ended has all that
 * came of it; and no message is in a session twice.
 */
export async function holdsNow(store: Store): Promise<void> {
  for (const { runId, sessionId } of await runsOf(store)) {
    // First the journal: a run that ends later may be missing from what is read after it.
    const journal = await collect(store.runs.read(runId));
    verifyJournal(journal);
    if (sessionId === undefined || journal.at(-1)?.type !== 'run-end') continue;
    const { activeRunId, messages } = await store.sessions.load(sessionId);
    const own = messages.filter((message) => message.runId === runId);
    if (activeRunId !== runId)
      ok(own.length >= 2, `session ${sessionId} has finished run ${runId}`);
    const ids = messages.map((message) => `${message.runId}/${message.id}`);
    equal(new Set(ids).size, ids.length, `nothing is twice in ${sessionId}: ${ids.join(' ')}`);
  }
}

/** What holds when nothing is under way: each session is free, and is what was asked, answered in turns. */
export async function holdsAtTheEnd(
  store: Store,
  deeds: Deeds,
  asked: { readonly [sessionId: string]: readonly string[] },
): Promise<void> {
  await holdsNow(store);
  for (const header of await runsOf(store)) {
    equal((await store.runs.peek(header.runId))?.ended, true, `run ${header.runId} has ended`);
  }
  equal((await store.runs.list({ unfinished: true, limit: 9 })).runs, [], 'no run is unfinished');
  for (const [sessionId, texts] of Object.entries(asked)) {
    const { activeRunId, messages } = await store.sessions.load(sessionId);
    equal(activeRunId, undefined, `session ${sessionId} is free`);
    const users = messages.filter(({ role }) => role === 'user');
    equal(users.map(textOf), texts, `session ${sessionId} was asked each once, in order`);
    alternates(sessionId, messages);
  }
  for (const name of ['pay', 'ask'] as const) {
    const keys = deeds[name];
    equal(new Set(keys).size, keys.length, `no ${name} ran twice: ${keys.join(' ')}`);
  }
}

/** A user message, then calls with their results, then the answer; each call with one result, right behind it. */
function alternates(sessionId: string, messages: readonly Message[]): void {
  // A cancel that comes between an answer and the end of its run leaves a note behind the answer.
  const isNote = (index: number): boolean =>
    messages[index]?.id === 'end' && messages[index - 1]?.role === 'assistant';
  const roles = messages.map(({ role }, index) => (isNote(index) ? '' : role[0])).join('');
  ok(/^(?:u(?:at)*a)*$/.test(roles), `session ${sessionId} alternates: ${roles}`);
  for (const [index, { parts, runId }] of messages.entries()) {
    const calls = parts.flatMap((part) => (part.type === 'tool-call' ? [part.callId] : []));
    if (calls.length === 0) continue;
    const next = messages[index + 1];
    const results = next?.parts.flatMap((part) =>
      part.type === 'tool-result' ? [part.callId] : [],
    );
    equal([next?.runId, results], [runId, calls], `the results of ${calls.join(' ')}`);
  }
}
