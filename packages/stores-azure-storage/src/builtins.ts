import type { promisify } from 'node:util';

// Modules of Node that only a store at work needs: loaded with its first use, so that a cold start does not wait for them.

/** SHA-256 of a text. */
export function sha256(text: string): Buffer {
  return process.getBuiltinModule('node:crypto').createHash('sha256').update(text).digest();
}

/** As many random bytes, base64url. */
export function randomText(bytes: number): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString('base64url');
}

/** DEFLATE (RFC 1951): at once, or off this thread for what is long. */
export function deflate(bytes: Uint8Array, isLong: boolean): Buffer | Promise<Buffer> {
  const { deflateRaw, deflateRawSync } = process.getBuiltinModule('node:zlib');
  return isLong ? promised()(deflateRaw)(bytes) : deflateRawSync(bytes);
}

/** What `deflate()` was given. */
export function inflate(bytes: Uint8Array, isLong: boolean): Buffer | Promise<Buffer> {
  const { inflateRaw, inflateRawSync } = process.getBuiltinModule('node:zlib');
  return isLong ? promised()(inflateRaw)(bytes) : inflateRawSync(bytes);
}

function promised(): typeof promisify {
  return process.getBuiltinModule('node:util').promisify;
}
