/**
 * Chat Completions closes a stream with `data: [DONE]`, which the SDK swallows. Some servers forget the finish reason, and
 * then the mark is all that tells a whole answer from one whose connection a proxy closed politely.
 */
export interface DoneMark {
  /** `fetch`, whose bodies are watched as they are read: only their last bytes are kept. */
  watch(fetch: typeof globalThis.fetch): typeof globalThis.fetch;
  /** Whether the body of a response that was read ended with the mark. */
  seen(response: Response): boolean;
}

const mark = '[DONE]';

export function doneMark(): DoneMark {
  const ends = new WeakMap<Response, () => boolean>();
  return {
    watch: (fetch) => async (input, init) => {
      const response = await fetch(input, init);
      const { body } = response;
      if (body === null) return response;
      const watched = watchBody(body);
      Object.defineProperty(response, 'body', { value: watched.body, configurable: true });
      ends.set(response, watched.ended);
      return response;
    },
    seen: (response) => ends.get(response)?.() ?? false,
  };
}

interface Watched {
  readonly body: { getReader(): object };
  readonly ended: () => boolean;
}

function watchBody(body: ReadableStream<Uint8Array>): Watched {
  // The mark may be cut in two by the network; of two chunks one is always long enough.
  let last: Uint8Array = new Uint8Array();
  let before: Uint8Array = new Uint8Array();
  const ended = (): boolean => tail(before, last).trimEnd().endsWith(mark);
  return {
    ended,
    body: {
      getReader() {
        const reader = body.getReader();
        return {
          async read() {
            const result = await reader.read();
            if (result.value !== undefined && result.value.length > 0) {
              before = last;
              last = result.value;
            }
            return result;
          },
          // The SDK leaves at the mark. The connection's own end is a moment away: read it, and the socket is used again.
          cancel: async (reason?: unknown) => (ended() ? drain(reader) : reader.cancel(reason)),
          releaseLock: () => undefined,
        };
      },
    },
  };
}

/** Reads what is left in the background, for a second at most. */
function drain(reader: ReadableStreamDefaultReader<Uint8Array>): void {
  const timer = setTimeout(() => void reader.cancel().catch(ignore), 1_000);
  timer.unref?.();
  const read = async (): Promise<void> => {
    while (!(await reader.read()).done);
  };
  read()
    .catch(ignore)
    .finally(() => clearTimeout(timer));
}

function ignore(): void {}

function tail(before: Uint8Array, last: Uint8Array): string {
  const decoder = new TextDecoder();
  return decoder.decode(before.subarray(-24)) + decoder.decode(last.subarray(-24));
}
