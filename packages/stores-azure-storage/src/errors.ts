import { AgentError, StoreFullError } from '@agent-functions/core';

/** What the service says to a write or a read that cannot be, as callers tell it apart. */
export type RefusalKind =
  /** What was to be made is there already. */
  | 'exists'
  /** It was changed since it was read. */
  | 'stale'
  /** What was to be changed is not there. */
  | 'missing'
  /** The table, the container or the queue is not there (yet). */
  | 'no-place';

export class Refusal extends Error {
  readonly kind: RefusalKind;
  constructor(kind: RefusalKind) {
    super(`The storage account refused a request (${kind}).`);
    this.kind = kind;
  }
}

export function isRefusal(error: unknown, ...kinds: readonly RefusalKind[]): boolean {
  return error instanceof Refusal && kinds.includes(error.kind);
}

// https://learn.microsoft.com/rest/api/storageservices/table-service-error-codes, and the same of blobs and queues
const kinds: { readonly [code: string]: RefusalKind } = {
  EntityAlreadyExists: 'exists',
  UpdateConditionNotSatisfied: 'stale',
  ConditionNotMet: 'stale',
  ResourceNotFound: 'missing',
  EntityNotFound: 'missing',
  BlobNotFound: 'missing',
  TableNotFound: 'no-place',
  ContainerNotFound: 'no-place',
  QueueNotFound: 'no-place',
};
const fullCodes: ReadonlySet<string> = new Set([
  'RequestBodyTooLarge',
  'EntityTooLarge',
  'PropertyValueTooLarge',
  'TooManyProperties',
]);
const transientStatus: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

/**
 * Whatever a client of the service threw, as a refusal, or as an error of this library. The error of the client is not
 * passed on: it holds the request, and so its signature.
 */
export function toStoreError(error: unknown, where: string): Error {
  if (AgentError.isInstance(error) || error instanceof Refusal) return error;
  const { status, code, text } = factsOf(error);
  const kind = kinds[code];
  if (kind !== undefined) return new Refusal(kind);
  if (status === 412) return new Refusal('stale');
  const said = [status === undefined ? '' : String(status), code].filter(Boolean).join(' ');
  if (status === 413 || fullCodes.has(code)) {
    return new StoreFullError(
      `The storage account of ${where} has no room for this value (${said}). Nothing was written.`,
    );
  }
  if (status === undefined) {
    return new AgentError(
      'store_unavailable',
      `The storage account of ${where} did not answer (${said === '' ? text : said}). Check the address there, and that the account may be reached from here; try again.`,
      { retryable: true },
    );
  }
  if (status === 401 || status === 403) {
    return new AgentError(
      'store_unavailable',
      `The storage account of ${where} refused its credentials (${said}). Check the key there; an identity needs the roles Storage Table Data Contributor, Storage Blob Data Contributor and Storage Queue Data Contributor.`,
    );
  }
  const transient = transientStatus.has(status);
  return new AgentError(
    'store_unavailable',
    `The storage account of ${where} failed (${said}).${transient ? ' Try again.' : ` It says: ${text}`}`,
    { retryable: transient },
  );
}

function factsOf(error: unknown): {
  readonly status: number | undefined;
  readonly code: string;
  readonly text: string;
} {
  if (!(error instanceof Error)) return { status: undefined, code: '', text: 'unknown error' };
  const status = 'statusCode' in error ? error.statusCode : undefined;
  // A read of a missing entity carries its code in the body only.
  const body = 'details' in error ? error.details : undefined;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : codeIn(body);
  return {
    status: typeof status === 'number' ? status : undefined,
    code: code ?? (error.name === 'AbortError' ? 'no answer in time' : ''),
    text: (error.message.split('\n')[0] ?? '').replaceAll(/\?\S*/g, '?…').slice(0, 200),
  };
}

function codeIn(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  if ('errorCode' in body && typeof body.errorCode === 'string') return body.errorCode;
  if ('code' in body && typeof body.code === 'string') return body.code;
  const inner = 'odataError' in body ? body.odataError : undefined;
  return codeIn(inner);
}
