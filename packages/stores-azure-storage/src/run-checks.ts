import {
  IdempotencyMismatchError,
  NotFoundError,
  RunConflictError,
  UserError,
  type RunEvent,
  type RunHeader,
  type RunStore,
} from '@agent-functions/core';
import { toHead, type Head } from './run-rows.ts';
import { numberIn, type Row } from './table.ts';

/** What a create is answered whose run is there. @throws IdempotencyMismatchError */
export function repeated(
  row: Row,
  present: RunHeader,
  header: RunHeader,
  holder: string,
): Awaited<ReturnType<RunStore['create']>> {
  const head = toHead(row);
  // Token 1: the same holder repeats its create as long as nobody else had the run.
  const lease =
    head?.token === 1 && head.holder === holder
      ? { holder, token: 1, expiresAt: numberIn(row, 'expires') ?? 0 }
      : undefined;
  const same = header.requestHash === present.requestHash;
  if (!same || (header.requestHash === undefined && lease === undefined)) {
    throw new IdempotencyMismatchError(
      `Run '${header.runId}' exists already, for another request. Use a new idempotency key.`,
      { runId: header.runId },
    );
  }
  return lease === undefined ? { created: false, header: present } : { created: true, lease };
}

/** @throws NotFoundError, RunConflictError for an append that does not fit the head. */
export function checkEnd(
  head: Head | undefined,
  runId: string,
  expectedSeq: number,
  token: number,
): Head {
  if (head === undefined) throw new NotFoundError(`There is no run '${runId}'.`, { runId });
  if (head.token !== token || head.holder === '') {
    throw new RunConflictError(
      `Run '${runId}' is no longer held with token ${token} (the last one given is ${head.token}). Stop: somebody else goes on with it.`,
      { runId, reason: 'lease' },
    );
  }
  if (head.seq !== expectedSeq || head.ended) {
    throw new RunConflictError(
      head.ended
        ? `Run '${runId}' has ended with event ${head.seq}; nothing follows.`
        : `Run '${runId}' ends with event ${head.seq}, not ${expectedSeq}. Read it again before appending.`,
      { runId, reason: 'seq' },
    );
  }
  return head;
}

/** @throws UserError for events that are not numbered on from the end. */
export function checkNumbers(
  runId: string,
  events: readonly RunEvent[],
  expectedSeq: number,
): void {
  for (const [index, { seq }] of events.entries()) {
    const place = expectedSeq + 1 + index;
    if (seq === place) continue;
    throw new UserError(
      `Event ${seq} of run '${runId}' was appended at place ${place}. Number events without a gap.`,
      { runId },
    );
  }
}
