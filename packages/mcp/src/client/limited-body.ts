import { cutOff, tooLarge, tooLargeText, type StandIn } from './stand-in.ts';

interface Limits {
  readonly maxMessageBytes: number;
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
  const { id, ended } = limits;
  if (response.body === null || !response.ok) {
    ended?.();
    return response;
  }
  const type = response.headers.get('content-type') ?? '';
  const events = type.includes('text/event-stream');
  if (!events && !type.includes('application/json')) {
    ended?.();
    return response;
  }
  const body = response.body.pipeThrough(events ? eventLimit(limits) : textLimit(limits));
  const { status, statusText, headers } = response;
  return new Response(id === undefined ? body : endings(body, id, { events, ...limits }), {
    status,
    statusText,
    headers,
  });
}

/** One JSON text: held back until it is whole, so that another can stand in its place. */
function textLimit({ maxMessageBytes, id }: Limits): TransformStream<Uint8Array, Uint8Array> {
  let pieces: Uint8Array[] = [];
  let size = 0;
  return new TransformStream({
    transform(chunk, controller) {
      size += chunk.length;
      if (size <= maxMessageBytes) {
        pieces.push(chunk);
        return;
      }
      pieces = [];
      if (id === undefined) controller.error(new Error(tooLargeText(maxMessageBytes)));
      else {
        controller.enqueue(encode(JSON.stringify(tooLarge(id, maxMessageBytes))));
        controller.terminate();
      }
    },
    flush(controller) {
      for (const piece of pieces) controller.enqueue(piece);
    },
  });
}

/** Events, each with the limit: two line ends in a row end one. */
function eventLimit({
  maxMessageBytes,
  id,
  tooLarge: onTooLarge,
}: Limits): TransformStream<Uint8Array, Uint8Array> {
  let size = 0;
  return new TransformStream({
    transform(chunk, controller) {
      const end = lastEventEnd(chunk);
      size = end === -1 ? size + chunk.length : chunk.length - end;
      if (size <= maxMessageBytes) {
        controller.enqueue(chunk);
        return;
      }
      if (id === undefined) {
        onTooLarge();
        controller.error(new Error(tooLargeText(maxMessageBytes)));
        return;
      }
      controller.enqueue(event(tooLarge(id, maxMessageBytes)));
      controller.terminate();
    },
  });
}

function lastEventEnd(chunk: Uint8Array): number {
  const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  const plain = bytes.lastIndexOf('\n\n');
  const windows = bytes.lastIndexOf('\r\n\r\n');
  return Math.max(plain === -1 ? -1 : plain + 2, windows === -1 ? -1 : windows + 4);
}

/**
 * An answer to its end. Where events end without it, an error for whoever waits, unless the server can go on with it:
 * events with ids are asked for again by the transport.
 */
function endings(
  body: ReadableStream<Uint8Array>,
  id: string | number,
  { events, over, ended }: Limits & { readonly events: boolean },
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  const named = `"id":${JSON.stringify(id)}`;
  let resumable = false;
  let answered = !events;
  const stop = (): void => {
    // Nothing is asked for again.
    answered = false;
    resumable = false;
    void reader.cancel().catch(() => undefined);
  };
  over?.addEventListener('abort', stop, { once: true });
  const end = (): void => {
    over?.removeEventListener('abort', stop);
    ended?.();
  };
  return new ReadableStream({
    async pull(controller) {
      const step = await reader.read().catch((error: unknown) => ({ error, value: undefined }));
      if (step.value !== undefined) {
        const bytes = Buffer.from(step.value.buffer, step.value.byteOffset, step.value.byteLength);
        answered ||= bytes.includes(named);
        resumable ||= bytes.includes('\nid:') || bytes.subarray(0, 3).toString('latin1') === 'id:';
        controller.enqueue(step.value);
        return;
      }
      end();
      if (!events && 'error' in step) {
        controller.error(step.error);
        return;
      }
      if (events && !answered && !resumable) controller.enqueue(event(cutOff(id)));
      controller.close();
    },
    cancel(reason) {
      end();
      return reader.cancel(reason);
    },
  });
}

// The line ends before it close whatever was under way.
function event(message: StandIn): Uint8Array {
  return encode(`\n\nevent: message\ndata: ${JSON.stringify(message)}\n\n`);
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
