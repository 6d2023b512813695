import { drained, type Wire } from './wire.ts';

const encoder = new TextEncoder();

/**
 * The body as the library writes it: chunks only as fast as the client takes them, a first chunk at once for an event
 * stream, and always an end. The library neither waits for the client, nor survives a body that throws, nor tells it
 * that the client left.
 */
export function responseBody(
  source: ReadableStream<Uint8Array>,
  options: {
    readonly eventStream: boolean;
    readonly wire: Wire | undefined;
    /** Fires when nobody reads any more, or the host stops. */
    readonly signal: AbortSignal;
    /** Told of a body that broke; answers the data of the `error` event. */
    readonly onError: (error: unknown) => string;
    /** Awaited between the last chunk and the end. */
    readonly beforeEnd: () => Promise<void>;
    readonly onEnd: () => void;
  },
): ReadableStream<Uint8Array> {
  const { eventStream, wire, signal, onError, beforeEnd, onEnd } = options;
  const reader = source.getReader();
  let betweenEvents = true;
  const giveUp = (): void => {
    reader.cancel(signal.reason).catch(() => undefined);
  };
  const end = (): void => {
    signal.removeEventListener('abort', giveUp);
    onEnd();
  };
  signal.addEventListener('abort', giveUp, { once: true });
  if (signal.aborted) giveUp();
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        // cure: trap-6
        // Status and headers go out with the first chunk. A line of comment is part of the first event's block.
        if (eventStream) controller.enqueue(encoder.encode(':\n'));
        // cure-end: trap-6
      },
      async pull(controller) {
        // cure: trap-4
        if (wire !== undefined) await drained(wire);
        // cure-end: trap-4
        try {
          const { done, value } = await reader.read();
          if (!done) {
            betweenEvents = endsEvent(value, betweenEvents);
            controller.enqueue(value);
            return;
          }
        } catch (error) {
          // cure: trap-2 | throw error;
          const data = onError(error);
          if (eventStream) controller.enqueue(errorEvent(data, betweenEvents));
          // What is no event stream must not look complete.
          else wire?.response.destroy();
          // cure-end: trap-2
        }
        await beforeEnd();
        controller.close();
        end();
      },
      cancel() {
        giveUp();
        end();
      },
    },
    { highWaterMark: 0 },
  );
}

/** An event that broke off becomes part of the `error` event: the type that stands last counts. */
function errorEvent(data: string, betweenEvents: boolean): Uint8Array {
  return encoder.encode(`${betweenEvents ? '' : '\n'}event: error\ndata: ${data}\n\n`);
}

const lineFeed = 10;

function endsEvent(chunk: Uint8Array, before: boolean): boolean {
  if (chunk.length === 0) return before;
  return chunk.at(-1) === lineFeed && (chunk.length === 1 || chunk.at(-2) === lineFeed);
}
