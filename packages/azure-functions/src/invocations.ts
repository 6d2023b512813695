import type { HostContext } from '@agent-functions/core';

/** Why nobody waits for an answer any more. */
export type AbortReason = 'client-gone' | 'time-limit' | 'host-stops';

const sentences: Readonly<Record<AbortReason, string>> = {
  'client-gone': 'The client has gone.',
  'time-limit': 'The function is about to reach its time limit.',
  'host-stops': 'The host stops.',
};

/** One request on its way. */
export interface Invocation {
  /** Fires when the client has gone, the time is up, or the host stops. */
  readonly signal: AbortSignal;
  /** Resolves when the time is up or the host stops, and there was a moment to answer all the same. */
  readonly givenUp: Promise<Exclude<AbortReason, 'client-gone'>>;
  abort(reason: AbortReason): void;
  /** Runs when the answer has been sent, or nobody waits for it any more. */
  onEnd(done: () => void): void;
  end(): void;
}

/** The requests on their way, and the work that outlasts them. */
export interface Invocations {
  begin(): Invocation;
  waitUntil(work: Promise<unknown>, log: HostContext['log']): void;
  /** Ends what is still open. */
  abortAll(reason: AbortReason): void;
  /** Resolves when no request is open and the work that outlasts them has ended. */
  settled(): Promise<void>;
}

/** How long an answer may still come after the signal has fired. */
const graceMs = 1_000;

export function invocations(): Invocations {
  const open = new Set<Invocation>();
  const background = new Set<Promise<unknown>>();
  return {
    begin() {
      const running = deferred<void>();
      background.add(running.promise);
      const atEnd: (() => void)[] = [];
      const invocation: Invocation = {
        ...abortable((done) => atEnd.push(done)),
        onEnd: (done) => void atEnd.push(done),
        end() {
          if (!open.delete(invocation)) return;
          for (const done of atEnd) done();
          background.delete(running.promise);
          running.resolve();
        },
      };
      open.add(invocation);
      return invocation;
    },
    waitUntil(work, log) {
      const watched: Promise<unknown> = work
        .catch((error: unknown) =>
          log('error', `Work that outlasts its request failed: ${String(error)}`),
        )
        .finally(() => background.delete(watched));
      background.add(watched);
    },
    abortAll(reason) {
      for (const invocation of open) invocation.abort(reason);
    },
    async settled() {
      while (background.size > 0) await Promise.all(background);
    },
  };
}

function abortable(
  onEnd: (done: () => void) => void,
): Pick<Invocation, 'signal' | 'givenUp' | 'abort'> {
  const controller = new AbortController();
  const givenUp = deferred<Exclude<AbortReason, 'client-gone'>>();
  return {
    signal: controller.signal,
    givenUp: givenUp.promise,
    abort(reason) {
      controller.abort(new DOMException(sentences[reason], 'AbortError'));
      if (reason === 'client-gone') return;
      const timer = setTimeout(() => givenUp.resolve(reason), graceMs);
      onEnd(() => clearTimeout(timer));
    },
  };
}

function deferred<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
