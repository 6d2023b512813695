import type { Failed } from './protocol.ts';

/** What an operation throws: the client makes it an error of core. */
export class Refusal extends Error {
  readonly failed: Failed;
  constructor(kind: Failed['kind'], message: string, runId?: string) {
    super(message);
    this.failed = { kind, message, runId };
  }
}

/** Anything thrown in the worker, as what the client can tell apart. Codes: https://sqlite.org/rescode.html */
export function toFailed(error: unknown, path: string): Failed {
  if (error instanceof Refusal) return error.failed;
  const text = error instanceof Error ? error.message : String(error);
  const fail = (kind: Failed['kind'], message: string): Failed => ({ kind, message });
  // The low byte is the primary code; the rest says more of the same.
  switch (errcodeOf(error) & 0xff) {
    case 5:
    case 6:
      return fail(
        'locked',
        `The database '${path}' was locked by another process for 10 s (${text}). Try again; find what holds it.`,
      );
    case 3:
    case 8:
    case 10:
    case 14:
      return fail(
        'unusable',
        `The database '${path}' cannot be opened or written (${text}). Choose a path on a local disk that this process may write to.`,
      );
    case 11:
    case 26:
      return fail(
        'unusable',
        `'${path}' is not a database, or it is damaged (${text}). Choose another path, or move the file away.`,
      );
    case 13:
      return fail(
        'full',
        `No room left for the database '${path}' (${text}). Make room on its disk.`,
      );
    default:
      return fail('internal', `The database '${path}' failed: ${text}`);
  }
}

function errcodeOf(error: unknown): number {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number'
    ? error.errcode
    : 0;
}
