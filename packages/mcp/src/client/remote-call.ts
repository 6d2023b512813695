import { createHash } from 'node:crypto';
import {
  AgentError,
  isJsonObject,
  toJson,
  type JsonObject,
  type ToolContext,
} from '@agent-functions/core';
import { recordOf } from '@agent-functions/core/provider';
import { errorText, fateOf } from './error-text.ts';
import { callTool } from './mcp-client.ts';
import type { Session } from './session.ts';
import type { Settings } from './settings.ts';
import { tooLargeCode } from './stand-in.ts';

/** The longest that a timer can be: the limits here are ours, not the SDK's. */
const never = 2_147_483_647;

/** Thrown where the session is over before the call was taken: the same call may be made in another. */
export class NoSession extends Error {}

/**
 * One call over one session, until its result, its limits, the run's abort or the connection's loss.
 *
 * @throws AgentError `outcome_unknown` where it may have happened; NoSession; the abort's reason; an Error in words for a model.
 */
export async function remoteCall(
  session: Session,
  settings: Settings,
  call: { readonly name: string; readonly input: unknown; readonly more: object },
  context: ToolContext,
): Promise<unknown> {
  const { timeoutMs, idleTimeoutMs } = settings;
  const what = `${call.name} of MCP server ${settings.name}`;
  const limit = new CallLimits(context.signal, session.lost);
  limit.within(timeoutMs, () =>
    unknown(context, 'mcp-timeout', `${what} took longer than ${timeoutMs} ms (timeoutMs).`),
  );
  const silent = (): AgentError =>
    unknown(context, 'mcp-timeout', `${what} was silent for ${idleTimeoutMs} ms (idleTimeoutMs).`);
  if (idleTimeoutMs < timeoutMs) limit.quietFor(idleTimeoutMs, silent);
  const ended = session.during(context.warn);
  try {
    const params = {
      name: call.name,
      arguments: argumentsOf(call.input),
      _meta: { 'agent-functions/idempotency-key': keyOf(context.idempotencyKey) },
      ...call.more,
    };
    const answer = callTool(session.client, params, {
      signal: limit.signal,
      timeout: never,
      onprogress: (progress) => {
        limit.heard();
        context.progress(progressOf(progress));
      },
      ...(session.own ? { allowInputRequired: true } : {}),
    });
    return await limit.orStopped(answer);
  } catch (error) {
    if (error === session.lost.reason) {
      throw unknown(context, 'mcp-connection-lost', `${what}: ${session.why}.`, error);
    }
    if (context.signal.aborted || limit.reason === error) throw error;
    throw failed(error, { session, what, context });
  } finally {
    ended();
    limit.end();
  }
}

function failed(
  error: unknown,
  at: {
    readonly session: Session;
    readonly what: string;
    readonly context: ToolContext;
  },
): Error {
  const { session, what, context } = at;
  const { fate, lost } = fateOf(error);
  if (lost && session.own) session.lose(errorText(error));
  if (fate === 'no-session') return new NoSession(errorText(error), { cause: error });
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === tooLargeCode) {
    const text = `${what} ran, but ${errorText(error)}. Ask for less at once.`;
    context.warn('mcp-answer-too-large', text);
    return new Error(text, { cause: error });
  }
  if (fate === 'unknown') {
    return unknown(context, 'mcp-connection-lost', `${what}: ${errorText(error)}.`, error);
  }
  return new Error(errorText(error), { cause: error });
}

function unknown(context: ToolContext, code: string, text: string, cause?: unknown): AgentError {
  context.warn(code, text);
  return new AgentError('outcome_unknown', text, { cause });
}

/** What ends a call before its answer. Timers and listeners end with the call. */
class CallLimits {
  readonly signal: AbortSignal;
  reason: unknown;
  readonly #abort = new AbortController();
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #watched: readonly AbortSignal[];
  readonly #listeners: (() => void)[] = [];
  readonly #stopped: Promise<never>;
  #stop: (reason: unknown) => void = () => undefined;
  #quiet: NodeJS.Timeout | undefined;

  constructor(run: AbortSignal, lost: AbortSignal) {
    this.signal = this.#abort.signal;
    this.#stopped = new Promise((_resolve, reject) => {
      this.#stop = (reason) => {
        this.reason ??= reason;
        reject(this.reason);
        this.#abort.abort(this.reason);
      };
    });
    // Nobody may be waiting any more.
    this.#stopped.catch(() => undefined);
    this.#watched = [run, lost];
    for (const signal of this.#watched) {
      const listener = (): void => this.#stop(signal.reason);
      this.#listeners.push(listener);
      if (signal.aborted) listener();
      else signal.addEventListener('abort', listener, { once: true });
    }
  }

  within(ms: number, error: () => Error): void {
    this.#timers.push(setTimeout(() => this.#stop(error()), ms));
  }

  quietFor(ms: number, error: () => Error): void {
    this.#quiet = setTimeout(() => this.#stop(error()), ms);
    this.#timers.push(this.#quiet);
  }

  heard(): void {
    this.#quiet?.refresh();
  }

  orStopped<T>(answer: Promise<T>): Promise<T> {
    return Promise.race([answer, this.#stopped]);
  }

  end(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    for (const [index, signal] of this.#watched.entries()) {
      const listener = this.#listeners[index];
      if (listener !== undefined) signal.removeEventListener('abort', listener);
    }
  }
}

function argumentsOf(input: unknown): JsonObject {
  const json = toJson(input ?? {});
  return isJsonObject(json) ? json : {};
}

function progressOf(progress: unknown): JsonObject {
  const json = toJson(recordOf(progress));
  return isJsonObject(json) ? json : {};
}

// Hashed: with it, nobody can ask for the run.
function keyOf(idempotencyKey: string): string {
  return createHash('sha256').update(idempotencyKey).digest('hex').slice(0, 32);
}
