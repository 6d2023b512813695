import { parseCursor, type Cursor, type RunHeader } from '@agent-functions/core';
import { Answer } from './answer.ts';
import { errorEvent } from './error-event.ts';
import { eventStream, eventStreamHeaders } from './event-stream.ts';
import { badRequest } from './problem.ts';
import type { Reply } from './routes.ts';
import { runLinks, runnerOf, type Exchange, type Scope } from './scope.ts';
import { stoppingEvent } from './server-stops.ts';
import { endOf } from './turn.ts';

/** Where a client reads on: the header of one that connects again. */
export function lastEventId({ headers }: Request): string | undefined {
  const header = headers.get('last-event-id');
  return header === null || header === '' ? undefined : header;
}

/** @throws Problem 400. */
export function readCursor(text: string): Cursor {
  const cursor = parseCursor(text);
  if (cursor === undefined) {
    throw badRequest(
      'Last-Event-ID or ?after= is not a cursor. Send the id of the last event you received, as it was.',
    );
  }
  return cursor;
}

/**
 * The events of a run behind a cursor, from whichever process advances it; 204 when there is nothing more to come.
 *
 * @throws Problem 400 for a cursor that is none, or that is behind the end.
 */
export async function followRun(
  scope: Scope,
  { host }: Exchange,
  header: RunHeader,
  from: { readonly cursor: string | undefined; readonly startedAt: number },
  goOn: () => Promise<void>,
): Promise<Reply> {
  const { runId } = header;
  const cursor = from.cursor === undefined ? { seq: 0 } : readCursor(from.cursor);
  const peek = await scope.store.runs.peek(runId);
  if (peek !== undefined && cursor.seq > peek.seq) {
    throw badRequest(
      `The cursor is behind the end of the run (event ${peek.seq}). Send the id of the last event you received.`,
    );
  }
  const location = runLinks(scope, runId).self;
  // Nothing can come any more: 204 tells an EventSource not to connect again.
  if (peek?.ended === true && cursor.seq === peek.seq) {
    return new Answer(null, { status: 204, headers: { location } });
  }
  await goOn();
  const leaving = new AbortController();
  const body = eventStream({
    events: runnerOf(scope, header).events(runId, {
      cursor: from.cursor,
      follow: true,
      signal: leaving.signal,
    }),
    signal: host.signal,
    heartbeatMs: scope.heartbeatMs,
    endsAt: endOf(scope, host.deadline, from.startedAt),
    onceStopping: (callback) => scope.stopping.once(callback),
    onStop: () => stoppingEvent(scope, runId, host.invocationId),
    onLeft: () => leaving.abort(),
    onError: (error) => errorEvent(scope, host, header, error),
  });
  return new Response(body, { headers: eventStreamHeaders(location) });
}
