import { isRecord, parsed } from '@agent-functions/core/provider';
import { cutOff, tooLarge, tooLargeText, type StandIn } from './stand-in.ts';

interface Limits {
  readonly maxMessageBytes: number;
  readonly tooLarge: () => void;
  readonly request: RequestInit;
}

/**
 * A response whose messages have a limit. Where one is too large, or the connection breaks before the answer came, whoever
 * asked gets an error as its answer: the transport alone would let it wait for its timeout.
 */
export function limited(response: Response, limits: Limits): Response {
  if (response.body === null || !response.ok) return response;
  const type = response.headers.get('content-type') ?? '';
  const events = type.includes('text/event-stream');
  if (!events && !type.includes('application/json')) return response;
  const id = idOf(limits.request);
  const body = response.body.pipeThrough(events ? eventLimit(limits, id) : textLimit(limits, id));
  const { status, statusText, headers } = response;
  return new Response(events && id !== undefined ? endings(body, id) : body, {
    status,
    statusText,
    headers,
  });
}

function idOf({ method, body }: RequestInit): string | number | undefined {
  if (method !== 'POST' || typeof body !== 'string') return undefined;
  const message = parsed(body);
  if (!isRecord(message)) return undefined;
  const { id } = message;
  return typeof id === 'number' || typeof id === 'string' ? id : undefined;
}

/** One JSON text: held back until it is whole, so that another can stand in its place. */
function textLimit(
  limits: Limits,
  id: string | number | undefined,
): TransformStream<Uint8Array, Uint8Array> {
  let pieces: Uint8Array[] = [];
  let size = 0;
  return new TransformStream({
    transform(chunk, controller) {
      size += chunk.length;
      if (size <= limits.maxMessageBytes) {
        pieces.push(chunk);
        return;
      }
      pieces = [];
      if (id === undefined) controller.error(new Error(tooLargeText(limits.maxMessageBytes)));
      else {
        controller.enqueue(encode(JSON.stringify(tooLarge(id, limits.maxMessageBytes))));
        controller.terminate();
      }
    },
    flush(controller) {
      for (const piece of pieces) controller.enqueue(piece);
    },
  });
}

/** Events, each with the limit: two line ends in a row end one. */
function eventLimit(
  limits: Limits,
  id: string | number | undefined,
): TransformStream<Uint8Array, Uint8Array> {
  let size = 0;
  return new TransformStream({
    transform(chunk, controller) {
      const end = lastEventEnd(chunk);
      size = end === -1 ? size + chunk.length : chunk.length - end;
      if (size <= limits.maxMessageBytes) {
        controller.enqueue(chunk);
        return;
      }
      if (id === undefined) {
        limits.tooLarge();
        controller.error(new Error(tooLargeText(limits.maxMessageBytes)));
        return;
      }
      controller.enqueue(event(tooLarge(id, limits.maxMessageBytes)));
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
 * The answer's events. Where they end without the answer, an error for whoever waits, unless the server can go on with it:
 * events with ids are asked for again by the transport.
 */
function endings(
  body: ReadableStream<Uint8Array>,
  id: string | number,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  const named = `"id":${JSON.stringify(id)}`;
  let resumable = false;
  let answered = false;
  return new ReadableStream({
    async pull(controller) {
      const step = await reader.read().catch(() => undefined);
      if (step?.value !== undefined) {
        const bytes = Buffer.from(step.value.buffer, step.value.byteOffset, step.value.byteLength);
        answered ||= bytes.includes(named);
        resumable ||= bytes.includes('\nid:') || bytes.subarray(0, 3).toString('latin1') === 'id:';
        controller.enqueue(step.value);
        return;
      }
      if (!answered && !resumable) controller.enqueue(event(cutOff(id)));
      controller.close();
    },
    cancel: (reason) => reader.cancel(reason),
  });
}

// The line ends before it close whatever was under way.
function event(message: StandIn): Uint8Array {
  return encode(`\n\nevent: message\ndata: ${JSON.stringify(message)}\n\n`);
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
