import { createHash } from 'node:crypto';

// Keys of tables hold no / \ # ? and no control characters, and at most 1 KiB:
// https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model

/** An id as (part of) a key: as it is where it is plain, else its hash. Two ids never share one. */
export function keyOf(id: string): string {
  return /^[A-Za-z0-9_-]{1,128}$/.test(id) ? `i-${id}` : `h-${hashOf(id)}`;
}

/** 128 bits of SHA-256 (of its JSON, which has half characters too) that name a text in a key. */
export function hashOf(text: string): string {
  return createHash('sha256')
    .update(JSON.stringify(text))
    .digest()
    .subarray(0, 16)
    .toString('base64url');
}

/** A whole number from 0 so that keys sort by it. */
export function ascending(value: number, digits: number): string {
  const most = 10 ** digits - 1;
  return String(Math.min(Math.max(0, Math.trunc(value)), most)).padStart(digits, '0');
}

/** The same, the largest first. */
export function descending(value: number, digits: number): string {
  const most = 10 ** digits - 1;
  return ascending(most - Math.min(Math.max(0, Math.trunc(value)), most), digits);
}
