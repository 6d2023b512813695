const newline = 10;

/**
 * Cuts what a server writes into lines. A line that is too long is thrown away as it comes; of it, the beginning and the
 * end are told, so that whoever waits for that answer can be told too.
 */
export class Lines {
  readonly #maxBytes: number;
  readonly #onLine: (line: Buffer) => void;
  readonly #onTooLong: (edges: string) => void;
  #pieces: Buffer[] = [];
  #size = 0;
  #head = '';
  #tail = '';

  constructor(
    maxBytes: number,
    on: { readonly line: (line: Buffer) => void; readonly tooLong: (edges: string) => void },
  ) {
    this.#maxBytes = maxBytes;
    this.#onLine = on.line;
    this.#onTooLong = on.tooLong;
  }

  push(chunk: Buffer): void {
    let rest = chunk;
    for (let end = rest.indexOf(newline); end !== -1; end = rest.indexOf(newline)) {
      this.#take(rest.subarray(0, end));
      this.#finish();
      rest = rest.subarray(end + 1);
    }
    this.#take(rest);
  }

  #take(piece: Buffer): void {
    if (piece.length === 0) return;
    this.#size += piece.length;
    if (this.#size <= this.#maxBytes) {
      this.#pieces.push(piece);
      return;
    }
    if (this.#head === '') {
      this.#head = Buffer.concat([...this.#pieces, piece])
        .subarray(0, 128)
        .toString('latin1');
      this.#pieces = [];
    }
    this.#tail = (this.#tail + piece.subarray(-128).toString('latin1')).slice(-128);
  }

  #finish(): void {
    const [only, ...more] = this.#pieces;
    const line = only !== undefined && more.length === 0 ? only : Buffer.concat(this.#pieces);
    const tooLong = this.#size > this.#maxBytes;
    const edges = `${this.#head}\n${this.#tail}`;
    this.#pieces = [];
    this.#size = 0;
    this.#head = '';
    this.#tail = '';
    if (tooLong) this.#onTooLong(edges);
    else if (line.length > 0) this.#onLine(line);
  }
}

/** The id of a JSON-RPC answer of which only the edges are known. */
export function idAtEdges(edges: string): number | undefined {
  const [head = '', tail = ''] = edges.split('\n');
  const found =
    /"id"\s*:\s*(\d+)\s*\}\s*$/.exec(tail) ??
    /^\s*\{(?:\s*"jsonrpc"\s*:\s*"2\.0"\s*,)?\s*"id"\s*:\s*(\d+)\s*,/.exec(head);
  return found?.[1] === undefined ? undefined : Number(found[1]);
}
