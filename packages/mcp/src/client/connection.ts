import { AgentError } from '@agent-functions/core';
import { orAborted } from '@agent-functions/core/provider';
import { errorText } from './error-text.ts';
import { openSession } from './open-session.ts';
import type { Session } from './session.ts';
import type { Settings } from './settings.ts';

/** What went wrong last, and until when it is not tried again. */
interface Failure {
  readonly error: AgentError;
  readonly until: number;
  readonly delayMs: number;
}

/** The one connection of this process to a server: made when it is first needed, shared by everybody, made again when lost. */
export class Connection {
  readonly #settings: Settings;
  #session: Promise<Session> | undefined;
  #ready: Session | undefined;
  #connecting: AbortController | undefined;
  #failure: Failure | undefined;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /**
   * The open session. Whoever comes while it is being made waits for the same one; it goes on when one of them stops
   * waiting. After a failure everybody is told the same until it is time to try again.
   *
   * @throws AgentError `not_configured` with what is wrong.
   */
  async session(signal: AbortSignal): Promise<Session> {
    signal.throwIfAborted();
    if (this.#ready !== undefined && !this.#ready.lost.aborted) return this.#ready;
    return orAborted((this.#session ??= this.#open()), signal);
  }

  /** The server does what it is asked: the next failure is the first again. */
  worked(): void {
    this.#failure = undefined;
  }

  /** A session whose server does not do what it is asked. A client that was handed in stays: there is no other. */
  failed(session: Session, error: AgentError, lost: boolean): void {
    this.#remember(error);
    if (lost && session.own) session.lose(error.message);
  }

  async close(): Promise<void> {
    const open = this.#session;
    this.#session = undefined;
    this.#ready = undefined;
    this.#failure = undefined;
    this.#connecting?.abort(
      new AgentError('aborted', `MCP server ${this.#settings.name} was closed.`),
    );
    const session = await open?.catch(() => undefined);
    await session?.close();
  }

  #open(): Promise<Session> {
    const failure = this.#failure;
    if (failure !== undefined && performance.now() < failure.until) {
      return this.#forget(Promise.reject(failure.error));
    }
    const opening = this.#attempt();
    return this.#forget(opening);
  }

  // A session that could not be made, or is lost, is nobody's.
  #forget(opening: Promise<Session>): Promise<Session> {
    const forget = (): void => {
      if (this.#session === opening) this.#session = undefined;
    };
    opening.then((session) => {
      const { lost } = session;
      if (lost.aborted) return forget();
      this.#ready = session;
      lost.addEventListener('abort', forget, { once: true });
    }, forget);
    return opening;
  }

  async #attempt(): Promise<Session> {
    const { name, connectTimeoutMs } = this.#settings;
    const late = new AbortController();
    this.#connecting = late;
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      late.abort(new Error('late'));
    }, connectTimeoutMs);
    const opening = openSession(this.#settings, late.signal);
    try {
      return await orAborted(opening, late.signal);
    } catch (error) {
      // One that comes after all is closed.
      const over = opening.then((session) => session.close()).catch(() => undefined);
      if (late.signal.aborted && !timedOut) {
        // Whoever closes waits for what was begun.
        await over;
        throw error;
      }
      const why = timedOut
        ? `it did not answer within ${connectTimeoutMs} ms (connectTimeoutMs)`
        : errorText(error);
      const failed = new AgentError('not_configured', `MCP server ${name}: ${why}.`, {
        cause: error,
        retryable: true,
      });
      this.#remember(failed);
      throw failed;
    } finally {
      clearTimeout(timer);
      if (this.#connecting === late) this.#connecting = undefined;
    }
  }

  /** Until it is tried again: twice as long after each failure. */
  #remember(error: AgentError): void {
    const { minMs, maxMs } = this.#settings.backoff;
    const delayMs = Math.min((this.#failure?.delayMs ?? minMs / 2) * 2, maxMs);
    this.#failure = { error, until: performance.now() + delayMs, delayMs };
  }
}
