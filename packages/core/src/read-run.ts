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
  if (sessionId === undefined) return readState(store, runId, []);
  const session = await store.sessions.load(sessionId);
  // Once the run is committed its own messages are part of the session.
  const base =
    session.activeRunId === runId
      ? session.messages
      : session.messages.slice(0, ownStart(session.messages, runId));
  return readState(store, runId, base);
}

function ownStart(
  messages: readonly { readonly runId?: string | undefined }[],
  runId: string,
): number {
  const index = messages.findIndex((message) => message.runId === runId);
  return index === -1 ? messages.length : index;
}

export function noSuchRun(runId: string): NotFoundError {
  return new NotFoundError(`There is no run ${JSON.stringify(runId.slice(0, 80))}.`);
}
