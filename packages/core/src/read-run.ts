import { NotFoundError } from './errors.ts';
import { readState } from './session.ts';
import type { RunState } from './state.ts';
import type { Store } from './store.ts';

/** The state of a stored run. @throws NotFoundError */
export async function readRun(store: Store, runId: string): Promise<RunState> {
  const state = await findRun(store, runId);
  if (state === undefined) throw noSuchRun(runId);
  return state;
}

/** The state of a stored run, with the conversation before it; `undefined` when there is none. */
export async function findRun(store: Store, runId: string): Promise<RunState | undefined> {
  const header = await store.runs.header(runId);
  if (header === undefined) return undefined;
  const { sessionId } = header;
  const session = sessionId === undefined ? undefined : await store.sessions.load(sessionId);
  if (session === undefined || session.activeRunId === runId) {
    return readState(store, runId, session);
  }
  // Once the run is committed its own messages are part of the session; a later run may have left them out, and with
  // them all that came before.
  const { messages, state } = session;
  const own = messages.findIndex((message) => message.runId === runId);
  const found = await readState(store, runId, {
    messages: own === -1 ? messages : messages.slice(0, own),
    state,
  });
  return own === -1 && found !== undefined && found.newMessages.length > 0
    ? readState(store, runId, { messages: [], state })
    : found;
}

export function noSuchRun(runId: string): NotFoundError {
  return new NotFoundError(`There is no run ${JSON.stringify(runId.slice(0, 80))}.`);
}
