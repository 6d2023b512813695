import {
  AgentError,
  NotFoundError,
  publicFailure,
  toFailure,
  type HostContext,
  type ProtocolHost,
  type ProtocolRunner,
  type RunHeader,
} from '@agent-functions/core';
import type { CallToolResult } from '@modelcontextprotocol/server';
import { refused, type Call } from './call.ts';
import type { Published } from './published.ts';

/** What all calls of one server share. */
export interface Serving extends Pick<
  ProtocolHost,
  'store' | 'logger' | 'onDisconnect' | 'allowClientSessionIds'
> {
  readonly agents: readonly Published[];
  /** How long a call waits for a run, in milliseconds. */
  readonly waitMs: number;
}

/** Whether what outlasts its call goes on by a wake of the store: this process may not live on behind its answer. */
export function goesOnByWake({ store }: Serving, host: HostContext): boolean {
  return store.wake !== undefined && host.isInvocation === true;
}

const runIdPattern = /^[A-Za-z0-9_-]{1,128}$/;

/**
 * A run of one of the agents that are published, if the caller may see it: its owner's id is the caller's, or it has no
 * owner and the id is the capability.
 *
 * @throws NotFoundError, the same for a stranger's run and for none.
 */
export async function visibleRun(
  { store, agents }: Serving,
  runId: string,
  { principal }: Call,
): Promise<{ readonly header: RunHeader; readonly runner: ProtocolRunner }> {
  const header = runIdPattern.test(runId) ? await store.runs.header(runId) : undefined;
  const published = agents.find(
    ({ agent }) => agent.name === header?.agent || agent.aliases.includes(header?.agent ?? ''),
  );
  const visible = header?.owner === undefined || header.owner === principal?.id;
  if (header === undefined || published === undefined || !visible) {
    throw new NotFoundError('There is no such run, or it is not yours.');
  }
  return { header, runner: published.runner };
}

/**
 * Goes on with a run that nobody holds, in the background, or by a wake.
 *
 * @returns What settles when this process is done with it; `undefined` where another one does it.
 */
export async function takeUpIfFree(
  serving: Serving,
  { runId, agent }: RunHeader,
  runner: ProtocolRunner,
  host: HostContext,
): Promise<{ readonly settled: Promise<void> } | undefined> {
  const { store, logger } = serving;
  const peek = await store.runs.peek(runId);
  if (peek === undefined || peek.ended || peek.lease !== undefined) return undefined;
  if (goesOnByWake(serving, host)) {
    await store.wake?.schedule({ runId }, await store.now());
    return undefined;
  }
  const settled = runner.resume(runId).then(
    () => undefined,
    (error: unknown) => {
      if (isHandedOver(error)) return;
      const { code, message } = toFailure(error);
      logger.log('error', 'A run could not be taken up', { runId, agent, code, error: message });
    },
  );
  host.waitUntil(settled);
  return { settled };
}

/** The run goes on in another process. */
export function isHandedOver(error: unknown): boolean {
  return AgentError.isInstance(error) && error.code === 'handed_over';
}

/** A failure as the client's model reads it: what happened where this library says it, and nothing of the inside. */
export function refusedFor(error: unknown, { host }: Call): CallToolResult {
  const failure = toFailure(error);
  const { code } = failure;
  const { message } = publicFailure(failure);
  if (code === 'internal' || !AgentError.isInstance(error)) {
    host.log('error', 'A tool call failed', { code, error: failure.message });
  }
  return refused(`${typeof message === 'string' ? message : 'It failed.'} (${code})`);
}
