import type { Lease, RunHeader, Signal } from '@agent-functions/core';
import { ascending, hashOf, keyOf } from './keys.ts';
import { flagIn, numberIn, textIn, type Columns, type Row } from './table.ts';

// The rows of a run, all in one partition, by their row key:
//   anchor       there as long as the run is; what others than the holder write under, so that the head stays as it is
//   c-<time>-<n> deltas of attempts in progress, while somebody follows
//   d-<id>       the signal that decided an interruption
//   e-<seq>      the events of one append, by the last of them
//   head         the end, the lease, the header
//   i-…          the inbox: what was posted and not drained, and who follows; one look sees both
//   s-<id>       a signal that was posted, for good

export const partitionOf = (runId: string): string => `r${keyOf(runId)}`;
/** Blobs of a run begin with this. */
export const folderOf = (runId: string): string => `runs/${partitionOf(runId)}/`;

export const headKey = 'head';
export const anchorKey = 'anchor';
export const eventsKey = (lastSeq: number): string => `e-${ascending(lastSeq, 10)}`;
export const eventsBelow = 'e.';
export const postedKey = (signalId: string): string => `s-${hashOf(signalId)}`;
export const decidedKey = (interruptionId: string): string => `d-${hashOf(interruptionId)}`;
export const pendingKey = (signalId: string): string => `i-s${hashOf(signalId)}`;
/** Signals that an append drained and could not delete in its transaction, because they are too many. */
export const drainedKey = (lastSeq: number): string => `i-d${ascending(lastSeq, 10)}`;
export const followKey = 'i-f';
export const inboxRange = { from: 'i-', below: 'i.' } as const;
export const deltasRange = { from: 'c-', below: 'c.' } as const;

/** The head without the header. */
export interface Head {
  readonly etag: string;
  readonly seq: number;
  readonly ended: boolean;
  /** Of the last lease given. */
  readonly token: number;
  /** `''`: it was released. */
  readonly holder: string;
  readonly expiresAt: number;
  readonly attempts: number;
  /** Where the index has the run. */
  readonly place: string;
}

export const headColumns = [
  'seq',
  'ended',
  'token',
  'holder',
  'expires',
  'attempts',
  'place',
  'gone',
];

/** `undefined` for no row, and for a run that is being deleted. */
export function toHead(row: Row | undefined): Head | undefined {
  if (row === undefined || isGone(row)) return undefined;
  return {
    etag: row.etag,
    seq: numberIn(row, 'seq') ?? 0,
    ended: flagIn(row, 'ended') ?? false,
    token: numberIn(row, 'token') ?? 0,
    holder: textIn(row, 'holder') ?? '',
    expiresAt: numberIn(row, 'expires') ?? 0,
    attempts: numberIn(row, 'attempts') ?? 0,
    place: textIn(row, 'place') ?? '',
  };
}

/** A run of which only the deletion is left to do. */
export function isGone(row: Row): boolean {
  return flagIn(row, 'gone') ?? false;
}

export function leaseOf({ holder, token, expiresAt }: Head): Lease | undefined {
  return holder === '' ? undefined : { holder, token, expiresAt };
}

export function leaseColumns({ holder, token, expiresAt }: Lease): Columns {
  return { holder, token, expires: BigInt(Math.trunc(expiresAt)) };
}

/** The header as its row keeps it, and back. */
export function toHeader(text: string): RunHeader {
  return JSON.parse(text);
}

export function toSignal(text: string): Signal {
  return JSON.parse(text);
}
