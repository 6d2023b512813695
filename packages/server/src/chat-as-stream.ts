import { errorEvent } from './error-event.ts';
import { eventStream, eventStreamHeaders } from './event-stream.ts';
import { followRun, lastEventId, readCursor } from './follow-run.ts';
import { badRequest, Problem } from './problem.ts';
import { recordedBefore } from './replay.ts';
import type { Reply } from './routes.ts';
import {
  isHandedOver,
  runLinks,
  takeUpIfFree,
  type Exchange,
  type Scope,
  type Served,
} from './scope.ts';
import { outlivesServer, stoppingEvent } from './server-stops.ts';
import { follow, handingOver, reported, type Turn } from './turn.ts';

/** The run as it happens; a repeated request reads on where its client was cut, from the first event without a cursor. */
export async function answerAsStream(
  scope: Scope,
  served: Served,
  exchange: Exchange,
  turn: Turn,
): Promise<Reply> {
  const { host, request } = exchange;
  const cursor = lastEventId(request);
  if (turn.keyed?.replayed === true) {
    const header = await recordedBefore(served, turn);
    const from = { cursor, startedAt: turn.startedAt };
    return followRun(scope, exchange, header, from, () => takeUpIfFree(scope, header, host));
  }
  if (cursor !== undefined) refuseCursor(cursor, turn);
  const leaving = scope.onDisconnect === 'cancel' ? follow(host.signal) : undefined;
  const leave = handingOver(scope, host);
  const stream = served.runner.stream(turn.input, {
    ...turn.options,
    ...leave.options,
    signal: leaving?.signal,
  });
  // From here on the stream itself says what becomes of the run when the client leaves.
  const header = await stream.started.finally(() => leaving?.letGo());
  host.waitUntil(reported(scope, stream.result, host, header));
  const goesOn = () => {
    stream.detach();
    leave.begin();
  };
  const body = eventStream({
    events: stream,
    signal: host.signal,
    heartbeatMs: scope.heartbeatMs,
    endsAt: turn.endsAt,
    onceStopping: (callback) => scope.stopping.once(callback),
    onStop: () => stoppingEvent(scope, header.runId, host.invocationId),
    onLeft: (why) => {
      if (why === 'time' || scope.onDisconnect === 'continue') goesOn();
      else if (why === 'gone') stream.cancel('The client left.');
      else if (outlivesServer(scope)) stream.detach();
      else stream.cancel('The server stops.');
    },
    // Another process has the run: the stream just ends, and the client reads on.
    onError: (error) => (isHandedOver(error) ? undefined : errorEvent(scope, host, header, error)),
  });
  return new Response(body, { headers: eventStreamHeaders(runLinks(scope, header.runId).self) });
}

/** Whoever reads on has begun something; without it, it must not begin a second time. */
function refuseCursor(text: string, { keyed }: Turn): void {
  if (keyed === undefined) {
    throw badRequest(
      'Last-Event-ID reads on, and a chat without the Idempotency-Key of the first request begins anew. Send both, or read on at the events of the run.',
    );
  }
  if (readCursor(text).seq === 0) return;
  throw new Problem(
    404,
    'not_found',
    'There is no run of this Idempotency-Key to read on. Leave Last-Event-ID out to begin it.',
  );
}
