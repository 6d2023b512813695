import type {
  HandOver,
  HostContext,
  JsonObject,
  Logger,
  LogLevel,
  Principal,
} from '@agent-functions/core';
import type { ReadBody } from './answer.ts';

const traceparent = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** What a host did not say, filled in. Signal and id are made when somebody asks for them. */
export class RequestHost implements HostContext {
  /** How the host reads the body, where it does that better than the request. */
  readonly readBody: ReadBody | undefined;
  readonly #request: Request;
  readonly #given: Partial<HostContext>;
  readonly #logger: Logger;
  readonly #background: BackgroundWork;
  #invocationId: string | undefined;

  constructor(
    request: Request,
    given: Partial<HostContext>,
    logger: Logger,
    background: BackgroundWork,
    readBody?: ReadBody,
  ) {
    this.readBody = readBody;
    this.#request = request;
    this.#given = given;
    this.#logger = logger;
    this.#background = background;
  }

  get invocationId(): string {
    return (this.#invocationId ??= this.#given.invocationId ?? crypto.randomUUID());
  }

  /** The host's where it gives one, else the request's own. */
  get signal(): AbortSignal {
    return this.#given.signal ?? this.#request.signal;
  }

  /** The host may end or freeze its process when the request is answered, so that work behind it needs its leave. */
  get isInvocation(): boolean {
    return this.#given.waitUntil !== undefined;
  }

  get principal(): Principal | undefined {
    return this.#given.principal;
  }

  get deadline(): number | undefined {
    return this.#given.deadline;
  }

  get handOver(): HandOver | undefined {
    return this.#given.handOver;
  }

  get traceparent(): string | undefined {
    const text = this.#given.traceparent ?? this.#request.headers.get('traceparent');
    // It is recorded with the run, so it is what it says it is (https://www.w3.org/TR/trace-context/#traceparent-header).
    return text !== null && traceparent.test(text) ? text : undefined;
  }

  /** The same, with the principal that was found. */
  as(principal: Principal | undefined): HostContext {
    return new RequestHost(
      this.#request,
      { ...contextOf(this.#given), invocationId: this.invocationId, principal },
      this.#logger,
      this.#background,
    );
  }

  waitUntil(work: Promise<unknown>): void {
    this.#background.add(work);
    this.#given.waitUntil?.(work);
  }

  log(level: LogLevel, message: string, fields?: JsonObject): void {
    const all = { ...fields, invocationId: this.invocationId };
    if (this.#given.log === undefined) this.#logger.log(level, message, all);
    else this.#given.log(level, message, all);
  }
}

// Hosts may hand in an instance whose methods live on its class.
function contextOf(given: Partial<HostContext>): Partial<HostContext> {
  const { signal, deadline, traceparent, handOver } = given;
  return {
    ...(signal === undefined ? {} : { signal }),
    deadline,
    traceparent,
    handOver,
    ...(given.waitUntil && { waitUntil: (work) => given.waitUntil?.(work) }),
    ...(given.log && { log: (level, message, fields) => given.log?.(level, message, fields) }),
  };
}

/** Work that outlasts its response. Each piece reports its own failure. */
export class BackgroundWork {
  readonly #running = new Set<Promise<unknown>>();

  add(work: Promise<unknown>): void {
    const quiet = work.then(
      () => undefined,
      () => undefined,
    );
    this.#running.add(quiet);
    void quiet.then(() => this.#running.delete(quiet));
  }

  /** Resolves when nothing runs any more. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }
}

/** Resolves with the work, or after `ms`. */
export async function settled(work: Promise<unknown>, ms: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}
