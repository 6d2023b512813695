import type { ModelScenario, ServerAnswer, ServerFailure, ServerReply } from './model-scenario.ts';
import { playAnswer, type AnswerWire } from './play-answer.ts';
import type { HttpResponse, ReceivedRequest, WireServer } from './wire-server.ts';

/** How one wire says the replies of the model contract. */
export interface ReplyWire extends AnswerWire {
  /** Whether a request asks for a stream. */
  streams(request: ReceivedRequest): boolean;
  /** Of streams. Default: `text/event-stream`. */
  readonly contentType?: string | undefined;
  /** The events, lines or chunks of an answer, each as its text. */
  chunks(answer: ServerAnswer): readonly string[];
  /** The answer in one piece: the body. */
  body(answer: ServerAnswer): unknown;
  /** An answer with an error: its body, and its headers beside `retry-after`, which is there already. */
  refusal(failure: ServerFailure): {
    readonly body: unknown;
    readonly headers?: { readonly [name: string]: string } | undefined;
  };
}

/** The part of a `ModelUnderTest` that the server knows. */
export interface ReplyServer {
  /** The body of every request, parsed once: a request is the same object each time. */
  requests(): readonly unknown[];
  readonly hungUp: Promise<void>;
  dispose(): Promise<void>;
}

/** Answers the requests of one case of the model contract, the last reply again and again. */
export function playReplies(
  server: WireServer,
  { replies }: Pick<ModelScenario, 'replies'>,
  wireOf: ReplyWire | ((request: ReceivedRequest) => ReplyWire),
): ReplyServer {
  let asked = 0;
  let hangUp: () => void = () => undefined;
  const hungUp = new Promise<void>((resolve) => (hangUp = resolve));
  const bodies = new Map<ReceivedRequest, unknown>();
  server.play((response, request) => {
    void request.closed.then(hangUp);
    const reply = replies[Math.min(asked++, replies.length - 1)];
    const wire = typeof wireOf === 'function' ? wireOf(request) : wireOf;
    return reply === undefined ? undefined : play(reply, wire, request, response);
  });
  let disposed: Promise<void> | undefined;
  return {
    requests: () =>
      server.received.map((request) => {
        if (!bodies.has(request)) bodies.set(request, JSON.parse(request.body));
        return bodies.get(request);
      }),
    hungUp,
    dispose: () => (disposed ??= server.close()),
  };
}

async function play(
  reply: ServerReply,
  wire: ReplyWire,
  request: ReceivedRequest,
  response: HttpResponse,
): Promise<void> {
  if (reply.page === true) return page(reply, response);
  if (reply.type === 'failure') return fail(reply, wire, response);
  if (reply.pause?.afterChunks === 0) await reply.pause.until;
  if (!wire.streams(request)) {
    response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' });
    response.end(JSON.stringify(wire.body(reply)));
    return;
  }
  response.writeHead(200, { 'content-type': wire.contentType ?? 'text/event-stream' });
  response.flushHeaders();
  const socket = {
    write: (bytes: Uint8Array) =>
      new Promise<void>((resolve) => response.write(bytes, () => resolve())),
    end: () => void response.end(),
    destroy: () => void response.socket?.destroy(),
  };
  await playAnswer(reply, wire.chunks(reply), socket, wire);
}

/** What a proxy in between answers with. */
function page(reply: ServerReply, response: HttpResponse): void {
  const status = reply.type === 'failure' ? reply.status : 200;
  response.writeHead(status, { 'content-type': 'text/html' });
  response.end(`<html><body><h1>${status}</h1></body></html>`);
}

function fail(failure: ServerFailure, wire: ReplyWire, response: HttpResponse): void {
  const { body, headers } = wire.refusal(failure);
  const wait = failure.retryAfterSeconds ?? failure.retryAfterDate;
  if (wait !== undefined) response.setHeader('retry-after', wait);
  response.writeHead(failure.status, {
    'content-type': 'application/json; charset=utf-8',
    ...headers,
  });
  response.end(JSON.stringify(body));
}
