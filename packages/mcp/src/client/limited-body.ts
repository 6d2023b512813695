import { cutOff, tooLarge, tooLargeText, type StandIn } from './stand-in.ts';

interface Limits {
  readonly maxMessageBytes: number;
  /** A message that nobody's request can be told of was too large. */
  readonly tooLarge: () => void;
  /** Of the request that this answers, where it is one. */
  readonly id: string | number | undefined;
  /** Fires when nobody waits for the answer any more. */
  readonly over?: AbortSignal | undefined;
  readonly ended?: (() => void) | undefined;
}

/**
 * A response whose messages have a limit. Where one is too large, or the connection breaks before the answer came, whoever
 * asked gets an error as its answer: the transport alone would let it wait for its timeout.
 */
export function limited(response: Response, limits: Limits): Response {
  const { ended = () => undefined, maxMessageBytes } = limits;
  const { body, status, statusText, headers } = response;
  const type = headers.get('content-type') ?? '';
  const events = type.includes('text/event-stream');
  const length = headers.get('content-length');
  const small = length !== null && Number(length) <= maxMessageBytes;
  if (body === null || !response.ok || (!events && (small || !type.includes('application/json')))) {
    ended();
    return response;
  }
  const reader = body.getReader();
  return new Response(events ? eventStream(reader, limits) : jsonText(reader, limits), {
    status,
    statusText,
    headers,
  });
}

type Reader = ReadableStreamDefaultReader<Uint8Array>;

/** One JSON text: held back until it is whole, so that another can stand in its place. */
function jsonText(
  reader: Reader,
  { maxMessageBytes, id, ended }: Limits,
): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      const pieces: Uint8Array[] = [];
      let size = 0;
      try {
        for (let step = await reader.read(); !step.done; step = await reader.read()) {
          size += step.value.length;
          pieces.push(step.value);
          if (size > maxMessageBytes) {
            await reader.cancel();
            if (id === undefined) throw new Error(tooLargeText(maxMessageBytes));
            pieces.splice(0, pieces.length, encode(JSON.stringify(tooLarge(id, maxMessageBytes))));
            break;
          }
        }
        for (const piece of pieces) controller.enqueue(piece);
        controller.close();
      } finally {
        ended?.();
      }
    },
    cancel(reason) {
      ended?.();
      return reader.cancel(reason);
    },
  });
}

/**
 * Events, each with the limit: two line ends in a row end one. Where they end without the answer, an error for whoever
 * waits, unless the server can go on with it: events with ids are asked for again by the transport.
 */
function eventStream(reader: Reader, limits: Limits): ReadableStream<Uint8Array> {
  const { id, over, maxMessageBytes } = limits;
  const named = id === undefined ? undefined : `"id":${JSON.stringify(id)}`;
  let size = 0;
  let resumable = false;
  let answered = named === undefined;
  const abandoned = (): void => {
    // Nothing is asked for again.
    answered = named === undefined;
    resumable = false;
  };
  over?.addEventListener('abort', abandoned, { once: true });
  const end = (): void => {
    over?.removeEventListener('abort', abandoned);
    limits.ended?.();
  };
  return new ReadableStream({
    async pull(controller) {
      const step = await reader.read().catch((error: unknown) => ({ error, value: undefined }));
      if (step.value !== undefined) {
        const bytes = Buffer.from(step.value.buffer, step.value.byteOffset, step.value.byteLength);
        const eventEnd = lastEventEnd(bytes);
        size = eventEnd === -1 ? size + bytes.length : bytes.length - eventEnd;
        if (size > maxMessageBytes) {
          end();
          void reader.cancel().catch(() => undefined);
          if (id === undefined) {
            limits.tooLarge();
            controller.error(new Error(tooLargeText(maxMessageBytes)));
          } else {
            controller.enqueue(event(tooLarge(id, maxMessageBytes)));
            controller.close();
          }
          return;
        }
        if (named !== undefined) answered ||= bytes.includes(named);
        resumable ||= bytes.includes('\nid:') || bytes.subarray(0, 3).toString('latin1') === 'id:';
        controller.enqueue(step.value);
        return;
      }
      end();
      if (id === undefined && 'error' in step) controller.error(step.error);
      else {
        if (id !== undefined && !answered && !resumable) controller.enqueue(event(cutOff(id)));
        controller.close();
      }
    },
    cancel(reason) {
      end();
      return reader.cancel(reason);
    },
  });
}

function lastEventEnd(bytes: Buffer): number {
  const plain = bytes.lastIndexOf('\n\n');
  const windows = bytes.lastIndexOf('\r\n\r\n');
  return Math.max(plain === -1 ? -1 : plain + 2, windows === -1 ? -1 : windows + 4);
}

// The line ends before it close whatever was under way.
function event(message: StandIn): Uint8Array {
  return encode(`\n\nevent: message\ndata: ${JSON.stringify(message)}\n\n`);
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
