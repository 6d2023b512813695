import type { Json } from '@agent-functions/core';
import type { ReadBody } from './answer.ts';
import { badRequest, Problem } from './problem.ts';

const maxDepth = 100;

/**
 * The JSON of a request body, or `undefined` when there is none. The limit counts while the body comes in.
 *
 * @throws Problem 400 (not JSON, not UTF-8, nested deeper than 100), 413, 415.
 */
export async function readJson(
  request: Request,
  host: { readonly readBody: ReadBody | undefined },
  limitBytes: number,
): Promise<Json | undefined> {
  const declared = request.headers.get('content-length');
  if (declared !== null && Number(declared) > limitBytes) throw tooLarge(limitBytes);
  const bytes =
    host.readBody === undefined
      ? await readBytes(request, limitBytes)
      : await host.readBody(limitBytes);
  if (bytes.length === 0) return undefined;
  checkContentType(request.headers);
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    throw badRequest('The body is not valid UTF-8. Send JSON, encoded as UTF-8.');
  }
  let value: Json;
  try {
    // What `JSON.parse` makes is JSON; its type does not say so.
    value = JSON.parse(text);
  } catch {
    // The parser's own message repeats the text around the mistake.
    throw badRequest('The body is not valid JSON. Check quotes, commas and brackets.');
  }
  if (isDeeperThan(value, maxDepth)) {
    throw badRequest(`The body is nested deeper than ${maxDepth} levels. Flatten it.`);
  }
  return value;
}

// A byte order mark is dropped, as RFC 8259 §8.1 allows.
const utf8 = new TextDecoder('utf-8', { fatal: true });

async function readBytes(request: Request, limitBytes: number): Promise<Uint8Array> {
  if (request.body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader: ReadableStreamDefaultReader<Uint8Array> = request.body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      size += value.byteLength;
      if (size > limitBytes) throw tooLarge(limitBytes);
      chunks.push(value);
    }
  } catch (error) {
    reader.cancel().catch(() => undefined);
    if (error instanceof Problem) throw error;
    throw bodyCut();
  }
  return joined(chunks, size);
}

/** Chunks in one piece. */
export function joined(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const [first] = chunks;
  if (chunks.length === 1 && first !== undefined) return first;
  const all = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.byteLength;
  }
  return all;
}

/** 400: the client went away, or said another length than it sent. */
export function bodyCut(): Problem {
  return badRequest('The body ended before it was complete. Send it again.');
}

export function tooLarge(limitBytes: number): Problem {
  return new Problem(
    413,
    'limit',
    `The body is larger than ${limitBytes} bytes. Send less, or raise bodyLimitBytes.`,
  );
}

function checkContentType(headers: Headers): void {
  const encoding = headers.get('content-encoding');
  if (encoding !== null && encoding.toLowerCase() !== 'identity') {
    throw new Problem(
      415,
      'unsupported_media_type',
      'The body is compressed (Content-Encoding). Send it as it is.',
      { headers: { 'accept-encoding': 'identity' } },
    );
  }
  const type = headers.get('content-type') ?? '';
  const [media = '', ...parameters] = type.split(';').map((each) => each.trim().toLowerCase());
  const charset = parameters.find((each) => each.startsWith('charset='));
  const isJson = media === 'application/json' || /^application\/[\w.-]+\+json$/.test(media);
  const isUtf8 = charset === undefined || /^charset="?utf-?8"?$/.test(charset);
  if (isJson && isUtf8) return;
  throw new Problem(
    415,
    'unsupported_media_type',
    type === ''
      ? 'The request has a body and no Content-Type. Send Content-Type: application/json.'
      : 'The Content-Type is not JSON in UTF-8. Send Content-Type: application/json.',
    { headers: { accept: 'application/json' } },
  );
}

function isDeeperThan(value: Json, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  return Object.values(value).some((each: Json) => isDeeperThan(each, levels - 1));
}
