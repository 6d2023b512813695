import {
  AgentError,
  toFailure,
  type ChatRequest,
  type HandOver,
  type RunStream,
} from '@agent-functions/core';
import type { CallToolResult } from '@modelcontextprotocol/server';
import type { Call } from './call.ts';
import { tell, waitFor } from './follow.ts';
import type { Published } from './published.ts';
import { runAnswer, stillRunning } from './run-answer.ts';
import { goesOnByWake, isHandedOver, type Serving } from './serving.ts';

/** Runs an agent and waits for its answer, for as long as the server waits; then the run goes on without its caller. */
export async function ask(
  serving: Serving,
  { agent, runner }: Published,
  input: ChatRequest,
  call: Call,
): Promise<CallToolResult> {
  const { host, principal } = call;
  const leaving = leave(serving, call);
  const stream = runner.stream(input, {
    principal,
    traceparent: call.traceparent,
    handOver: leaving.handOver,
  });
  // Leaving the loop below is no cancel.
  stream.detach();
  const cancelled = () => {
    if (serving.onDisconnect === 'cancel') stream.cancel('The client cancelled the call.');
  };
  call.signal.addEventListener('abort', cancelled, { once: true });
  if (call.signal.aborted) cancelled();
  const told = tell(stream, call);
  told.catch(() => undefined);
  try {
    const waited = await waitFor(stream.result, serving.waitMs, call);
    if (waited.type === 'done') return runAnswer(waited.value);
    const header = await stream.started;
    host.waitUntil(reported(stream, serving, header.runId));
    leaving.begin();
    return stillRunning(header);
  } catch (error) {
    if (!isHandedOver(error)) throw error;
    return stillRunning({ runId: stream.runId, agent: agent.name, sessionId: input.sessionId });
  } finally {
    call.signal.removeEventListener('abort', cancelled);
  }
}

/** How long what a run does may take to end when its call lets go of it, where the host does not say. */
const settleMs = 5_000;

/** When this call must let go of its run: as the host says, and where the process may end behind the answer also then. */
function leave(
  serving: Serving,
  { host }: Call,
): { readonly handOver: HandOver | undefined; begin(): void } {
  const { handOver } = host;
  if (!goesOnByWake(serving, host)) return { handOver, begin: () => undefined };
  const leaving = new AbortController();
  const signal =
    handOver === undefined ? leaving.signal : AbortSignal.any([handOver.signal, leaving.signal]);
  return {
    handOver: { signal, settleMs: handOver?.settleMs ?? settleMs },
    begin: () => leaving.abort(),
  };
}

/** Nobody reads this result any more. That the run failed, the runner has logged. */
async function reported(
  stream: RunStream<unknown>,
  { logger }: Serving,
  runId: string,
): Promise<void> {
  try {
    await stream.result;
  } catch (error) {
    if (isHandedOver(error)) return;
    const { code, message } = toFailure(error);
    logger.log('error', 'A run broke', { runId, code, error: message });
  }
}

/**
 * The session of a call: the caller's, or a new id of 160 random bits. Without a principal an id is a capability, so only
 * one that was given out is taken back.
 *
 * @throws AgentError `not_found` for one that was not.
 */
export async function sessionFor(
  { store, allowClientSessionIds }: Serving,
  given: string | undefined,
  { principal }: Call,
): Promise<string> {
  if (given === undefined) return newSessionId();
  // Whose it is, core checks when the run claims it.
  if (principal !== undefined) return given;
  const { version, owner } = await store.sessions.load(given);
  const isNew = version === '0';
  if (owner === undefined && (!isNew || allowClientSessionIds)) return given;
  throw new AgentError(
    'not_found',
    'The session_id is unknown. Leave it out to begin a conversation, and send back the session_id of the answer.',
  );
}

function newSessionId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(20));
  let id = '';
  for (const byte of bytes) id += byte.toString(16).padStart(2, '0');
  return id;
}
