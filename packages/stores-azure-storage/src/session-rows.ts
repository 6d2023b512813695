import type { SessionChange, SessionSnapshot } from '@agent-functions/core';
import { createHash } from 'node:crypto';
import { toAsciiJson } from './ascii-json.ts';
import { ascending, keyOf } from './keys.ts';
import { flagIn, numberIn, textIn, type Columns, type Row } from './table.ts';

// The rows of a session, all in one partition, by their row key:
//   a-state              the app's state, with the version that wrote it
//   head                 everything else but the messages
//   m-<born>-<generation>-<n>   the messages of one commit; what replaces all messages begins a new generation

export const sessionPartition = (sessionId: string): string => `s${keyOf(sessionId)}`;
/** Blobs of a session begin with this. */
export const sessionFolder = (sessionId: string): string =>
  `sessions/${sessionPartition(sessionId)}/`;

export const sessionHeadKey = 'head';
export const stateKey = 'a-state';
export const messagesKey = (
  { born, generation }: Pick<SessionHead, 'born' | 'generation'>,
  n: number,
): string => `m-${born}-${ascending(generation, 8)}-${ascending(n, 8)}`;

/** The versions of so many last commits are remembered, for operations that are repeated. */
const versionsKept = 50;

/** A session without its messages and its state. */
export interface SessionHead {
  readonly sessionId: string;
  /** Made with the session, so that no version of one that was deleted fits. */
  readonly born: string;
  readonly versions: readonly string[];
  readonly generation: number;
  /** Rows of messages in this generation. */
  readonly rows: number;
  /** The version that wrote the state; `''`: there is none. */
  readonly stateVersion: string;
  /** The blob that holds it, where it is large. */
  readonly stateBlob?: string | undefined;
  /** Where the index has the session. */
  readonly bucket: number;
  readonly updatedAt: number;
  readonly owner?: string | undefined;
  readonly entryAgent?: string | undefined;
  readonly activeAgent?: string | undefined;
  readonly activeRunId?: string | undefined;
  readonly activeSince?: number | undefined;
  readonly activeConfirmed?: boolean | undefined;
  readonly closed?: boolean | undefined;
}

export function versionOf(head: SessionHead | undefined): string {
  return head?.versions.at(-1) ?? '0';
}

/** The end of each version that an operation makes in a session: how its repeat is told. */
function markOf(operationId: string, born: string): string {
  return createHash('sha256').update(`${born}\n${operationId}`).digest('base64url').slice(0, 16);
}

/** The version that an operation made before. */
export function versionMadeBy(head: SessionHead, operationId: string): string | undefined {
  const mark = markOf(operationId, head.born);
  return head.versions.find((version) => version.endsWith(`.${mark}`));
}

export function nextVersions(
  before: readonly string[],
  operationId: string,
  born: string,
): readonly string[] {
  const number = Number.parseInt(before.at(-1) ?? '0', 10) + 1;
  return [...before, `${number}.${markOf(operationId, born)}`].slice(-versionsKept);
}

/** A session of which only the deletion is left to do. */
export function isSessionGone(row: Row): boolean {
  return flagIn(row, 'gone') ?? false;
}

/** What a commit makes of the plain fields. */
export function changed(
  before: SessionHead | undefined,
  change: SessionChange,
  now: number,
): Pick<
  SessionHead,
  | 'owner'
  | 'entryAgent'
  | 'activeAgent'
  | 'activeRunId'
  | 'activeSince'
  | 'activeConfirmed'
  | 'closed'
> {
  const { activeRunId, activeConfirmed } = change;
  const claim =
    activeRunId === null
      ? {}
      : activeRunId !== undefined
        ? { activeRunId, activeSince: now, activeConfirmed: activeConfirmed ?? false }
        : {
            activeRunId: before?.activeRunId,
            activeSince: before?.activeSince,
            activeConfirmed: activeConfirmed ?? before?.activeConfirmed,
          };
  return {
    owner: change.owner ?? before?.owner,
    entryAgent: change.entryAgent ?? before?.entryAgent,
    activeAgent: change.activeAgent ?? before?.activeAgent,
    closed: change.closed ?? before?.closed,
    ...claim,
  };
}

/** What of a head is anybody's text is one column. */
type About = Pick<
  SessionHead,
  'sessionId' | 'owner' | 'entryAgent' | 'activeAgent' | 'activeRunId'
>;

export function toSessionHead(row: Row): SessionHead {
  const about: About = JSON.parse(textIn(row, 'about') ?? '{}');
  return {
    ...about,
    born: textIn(row, 'born') ?? '',
    versions: (textIn(row, 'versions') ?? '').split(' '),
    generation: numberIn(row, 'generation') ?? 0,
    rows: numberIn(row, 'rows') ?? 0,
    stateVersion: textIn(row, 'stateVersion') ?? '',
    stateBlob: textIn(row, 'stateBlob'),
    bucket: numberIn(row, 'bucket') ?? 0,
    updatedAt: numberIn(row, 'updatedAt') ?? 0,
    activeSince: numberIn(row, 'activeSince'),
    activeConfirmed: flagIn(row, 'activeConfirmed'),
    closed: flagIn(row, 'closed'),
  };
}

export function fromSessionHead(head: SessionHead): Columns {
  const { sessionId, owner, entryAgent, activeAgent, activeRunId } = head;
  const { activeSince, activeConfirmed, closed, stateBlob } = head;
  return {
    about: toAsciiJson({ sessionId, owner, entryAgent, activeAgent, activeRunId }),
    born: head.born,
    versions: head.versions.join(' '),
    generation: head.generation,
    rows: head.rows,
    stateVersion: head.stateVersion,
    bucket: BigInt(head.bucket),
    updatedAt: BigInt(Math.trunc(head.updatedAt)),
    ...(stateBlob === undefined ? {} : { stateBlob }),
    ...(activeSince === undefined ? {} : { activeSince: BigInt(Math.trunc(activeSince)) }),
    ...(activeConfirmed === undefined ? {} : { activeConfirmed }),
    ...(closed === undefined ? {} : { closed }),
  };
}

export function toSnapshot(
  head: SessionHead,
  messages: SessionSnapshot['messages'],
  state: SessionSnapshot['state'],
): SessionSnapshot {
  const { sessionId, owner, entryAgent, activeAgent, activeRunId, activeSince } = head;
  const { activeConfirmed, closed, updatedAt } = head;
  return {
    sessionId,
    version: versionOf(head),
    messages,
    state,
    owner,
    entryAgent,
    activeAgent,
    activeRunId,
    activeSince,
    activeConfirmed,
    closed,
    updatedAt,
  };
}
