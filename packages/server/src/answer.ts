/**
 * A response as data. `fetch` makes a `Response` of it; a host that writes to a socket of its own (`server/node`) writes
 * it as it is, in one piece.
 */
export class Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** `null`: none. */
  readonly body: string | null;

  constructor(
    body: string | null,
    init: { readonly status: number; readonly headers: Readonly<Record<string, string>> },
  ) {
    this.body = body;
    this.status = init.status;
    this.headers = init.headers;
  }

  with(headers: Readonly<Record<string, string>>): Answer {
    return new Answer(this.body, {
      status: this.status,
      headers: { ...this.headers, ...headers },
    });
  }

  toResponse(): Response {
    return new Response(this.body, { status: this.status, headers: this.headers });
  }
}

/** Where a server answers hosts of this package: like `fetch`, before a `Response` is made. */
export const respond: unique symbol = Symbol.for('@agent-functions/server.respond');

/** How a host reads a body by itself; rejects with a `Problem` 413 above the limit. */
export type ReadBody = (limitBytes: number) => Promise<Uint8Array>;
