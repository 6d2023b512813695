/** What no text may show. */
export interface Secrets {
  /** The very texts: keys, tokens, values of headers. Of less than six characters they are left, or nothing could be read. */
  readonly secrets: readonly string[];
  /** How the vendor's keys and tokens look, with the flag `g`: a server may show another one, or a part of it. */
  readonly keyShapes?: readonly RegExp[] | undefined;
}

/** Takes keys, tokens, and users and queries of URLs out of a text, and cuts it to a readable length. */
export function redact(text: string, { secrets, keyShapes = [] }: Secrets): string {
  let clean = text;
  for (const secret of secrets) {
    if (secret.length >= 6) clean = clean.replaceAll(secret, '[secret]');
  }
  clean = clean.replaceAll(/\bBearer\s+\S+/gi, 'Bearer [secret]');
  for (const shape of keyShapes) clean = clean.replaceAll(shape, '[secret]');
  clean = clean
    .replaceAll(/(https?:\/\/[^\s"'<>?]+)\?[^\s"'<>]*/gi, '$1')
    .replaceAll(/(https?:\/\/)[^\s/@]+@/gi, '$1');
  return clean.length > 500 ? `${clean.slice(0, 500)}…` : clean;
}
