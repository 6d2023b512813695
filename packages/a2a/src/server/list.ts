import type { ListTasksRequest, ListTasksResponse } from '@a2a-js/sdk';
import { isOf, maySee, viewOfRun } from './access.ts';
import { Refused } from './refused.ts';
import type { Call } from './scope.ts';
import { checkHistoryLength } from './send.ts';
import { taskState } from './task-state.ts';
import { taskOf, type TaskView } from './task-wire.ts';

const defaultPage = 50;
/** How many runs one request looks at: a filter that fits little gives short pages, and goes on. */
const maxLooked = 500;

/** Where the next page begins. */
interface Place {
  readonly cursor?: string | undefined;
  /** Runs of that page of the store which were looked at. */
  readonly skip: number;
  /** Tasks of the pages before. */
  readonly before: number;
}

/**
 * The caller's tasks, newest first, each page in the order of their last change (specification 3.1.4). Without a principal
 * those of one context, whose id is the capability; without either none.
 *
 * @throws Refused `RequestMalformed` for a page size, token, state or time that is none.
 */
export async function listTasks(call: Call, request: ListTasksRequest): Promise<ListTasksResponse> {
  const { scope, context } = call;
  const pageSize = checkedSize(request.pageSize);
  const since = checkedTime(request.statusTimestampAfter);
  checkHistoryLength(request.historyLength);
  const { status, contextId } = request;
  if (!Object.values(taskState).includes(status)) {
    throw malformed('status is no state of a task. Send one like TASK_STATE_WORKING.');
  }
  const from = readToken(request.pageToken);
  const owner = context.principal?.id;
  if (owner === undefined && contextId === '') {
    return { tasks: [], nextPageToken: '', pageSize, totalSize: 0 };
  }
  const fits = (view: TaskView): boolean =>
    isOf(scope, view) &&
    (status === taskState.unspecified || view.status.state === status) &&
    (since === undefined || view.status.at > since);

  const found: TaskView[] = [];
  let place = from;
  let looked = 0;
  let more = true;
  while (more && found.length < pageSize && looked < maxLooked) {
    const page = await scope.host.store.runs.list({
      owner,
      ...(contextId === '' ? {} : { sessionId: contextId }),
      limit: pageSize,
      cursor: place.cursor,
    });
    let skip = place.skip;
    for (const header of page.runs.slice(skip)) {
      if (found.length === pageSize) break;
      skip += 1;
      looked += 1;
      // A session's owner is that of its runs; the store lists by both.
      if (!maySee(header, owner)) continue;
      const view = await viewOfRun(scope, header.runId);
      if (view !== undefined && fits(view)) found.push(view);
    }
    const isRead = skip >= page.runs.length;
    more = !isRead || page.cursor !== undefined;
    place = isRead ? { cursor: page.cursor, skip: 0, before: place.before } : { ...place, skip };
  }
  const before = from.before + found.length;
  return {
    tasks: found
      .toSorted((a, b) => b.status.at - a.status.at)
      .map((view) => ({
        ...taskOf(view, request.historyLength ?? 0),
        ...(request.includeArtifacts === true ? {} : { artifacts: [] }),
      })),
    nextPageToken: more ? writeToken({ ...place, before }) : '',
    pageSize,
    totalSize: before + (more ? 1 : 0),
  };
}

function checkedSize(size: number | undefined): number {
  if (size === undefined) return defaultPage;
  if (Number.isInteger(size) && size >= 1 && size <= 100) return size;
  throw malformed(`pageSize is ${size}; it must be a whole number from 1 to 100.`);
}

function checkedTime(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  const time = Date.parse(text);
  if (!Number.isNaN(time)) return time;
  throw malformed('statusTimestampAfter is no time. Write it like 2026-11-22T10:00:00.000Z.');
}

function readToken(token: string): Place {
  if (token === '') return { skip: 0, before: 0 };
  try {
    const value: unknown = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
    if (Array.isArray(value)) {
      const [cursor, skip, before]: readonly unknown[] = value;
      if ((cursor === null || typeof cursor === 'string') && isCount(skip) && isCount(before)) {
        return { cursor: cursor ?? undefined, skip, before };
      }
    }
  } catch {
    // Below.
  }
  throw malformed('pageToken is none of this list. Send nextPageToken of the page before.');
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0;
}

function writeToken({ cursor, skip, before }: Place): string {
  return Buffer.from(JSON.stringify([cursor ?? null, skip, before])).toString('base64url');
}

function malformed(message: string): Refused {
  return new Refused('RequestMalformed', message);
}
