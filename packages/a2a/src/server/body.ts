import { toJson, type Json } from '@agent-functions/core';

/** What became of a body: its JSON, or why it is none. */
export type Body =
  | { readonly type: 'json'; readonly value: Json }
  | { readonly type: 'empty' | 'not-json' | 'too-large' };

/** Reads a body up to a limit, which counts while it comes in. */
export async function readBody(request: Request, limitBytes: number): Promise<Body> {
  if (Number(request.headers.get('content-length') ?? 0) > limitBytes) return { type: 'too-large' };
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader: ReadableStreamDefaultReader<Uint8Array> | undefined = request.body?.getReader();
  try {
    for (;;) {
      const step = await reader?.read();
      if (step === undefined || step.done) break;
      size += step.value.byteLength;
      if (size > limitBytes) {
        reader?.cancel().catch(() => undefined);
        return { type: 'too-large' };
      }
      chunks.push(step.value);
    }
  } catch {
    return { type: 'not-json' };
  }
  if (size === 0) return { type: 'empty' };
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
    const value = toJson(JSON.parse(text));
    return isSound(value, 100) ? { type: 'json', value } : { type: 'not-json' };
  } catch {
    return { type: 'not-json' };
  }
}

/** No deeper than `levels`. */
function isSound(value: Json, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (levels === 0) return false;
  return Object.values(value).every((each: Json) => isSound(each, levels - 1));
}
