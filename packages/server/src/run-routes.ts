import {
  AgentError,
  canonicalJson,
  parseCursor,
  sha256Hex,
  toJson,
  type Cursor,
  type RunHeader,
} from '@agent-functions/core';
import { Answer } from './answer.ts';
import { endOf } from './chat.ts';
import { toDecisions } from './decisions-request.ts';
import { errorEvent } from './error-event.ts';
import { eventStream, eventStreamHeaders } from './event-stream.ts';
import { objectAt, textAt, type ObjectSchema } from './fields.ts';
import { badRequest, Problem } from './problem.ts';
import { readJson } from './read-body.ts';
import type { Reply, Route } from './routes.ts';
import {
  accepted,
  json,
  runLinks,
  takeUp,
  visibleRun,
  wakeIfAbandoned,
  type Exchange,
  type Scope,
} from './scope.ts';
import { stoppingEvent } from './server-stops.ts';

/** A run: its state, its events, a stop, answers to what it asked. */
export function runRoutes(scope: Scope): readonly Route[] {
  const run = `${scope.prefix}/runs/{id}`;
  const decide = (exchange: Exchange) => decisions(scope, exchange);
  return [
    { method: 'GET', path: run, name: 'run', handle: (exchange) => state(scope, exchange) },
    {
      method: 'GET',
      path: `${run}/events`,
      name: 'events',
      handle: (exchange) => events(scope, exchange),
    },
    {
      method: 'POST',
      path: `${run}/cancel`,
      name: 'cancel',
      handle: (exchange) => cancel(scope, exchange),
    },
    { method: 'POST', path: `${run}/decisions`, name: 'decisions', handle: decide },
    { method: 'POST', path: `${run}/approvals`, name: 'decisions', handle: decide },
  ];
}

async function state(scope: Scope, exchange: Exchange): Promise<Answer> {
  const { header, runner } = await visibleRun(scope, exchange);
  const links = runLinks(scope, header.runId);
  const result = await runner.get(header.runId);
  if (result !== undefined && result.status !== 'running') {
    return json({ ...result.toJSON(), links });
  }
  await wakeIfAbandoned(scope, header, exchange);
  return json({
    status: 'running',
    agent: header.agent,
    run_id: header.runId,
    ...(header.sessionId === undefined
      ? {}
      : { session_id: header.sessionId, conversation_id: header.sessionId }),
    links,
  });
}

async function events(scope: Scope, exchange: Exchange): Promise<Reply> {
  const { request, host } = exchange;
  const startedAt = Date.now();
  const { header, runner } = await visibleRun(scope, exchange);
  const { runId } = header;
  const text = cursorIn(request);
  const cursor = text === undefined ? { seq: 0 } : readCursor(text);
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
  await wakeIfAbandoned(scope, header, exchange);
  const leaving = new AbortController();
  const body = eventStream({
    events: runner.events(runId, { cursor: text, follow: true, signal: leaving.signal }),
    signal: host.signal,
    heartbeatMs: scope.heartbeatMs,
    endsAt: endOf(scope, host.deadline, startedAt),
    onceStopping: (callback) => scope.stopping.once(callback),
    onStop: () => stoppingEvent(scope, runId, host.invocationId),
    onLeft: () => leaving.abort(),
    onError: (error) => errorEvent(scope, host, header, error),
  });
  return new Response(body, { headers: eventStreamHeaders(location) });
}

/** `Last-Event-ID` of a client that connects again, else `?after=`. */
function cursorIn(request: Request): string | undefined {
  const header = request.headers.get('last-event-id');
  if (header !== null && header !== '') return header;
  return new URL(request.url).searchParams.get('after') ?? undefined;
}

function readCursor(text: string): Cursor {
  const cursor = parseCursor(text);
  if (cursor === undefined) {
    throw badRequest(
      'Last-Event-ID or ?after= is not a cursor. Send the id of the last event you received, as it was.',
    );
  }
  return cursor;
}

const cancelSchema = {
  type: 'object',
  properties: { reason: { type: 'string', maxLength: 1_000 } },
  additionalProperties: false,
} as const satisfies ObjectSchema;

async function cancel(scope: Scope, exchange: Exchange): Promise<Answer> {
  const { request, host, principal } = exchange;
  const { header, runner } = await visibleRun(scope, exchange);
  const body = await readJson(request, host, scope.bodyLimitBytes);
  const { reason } = body === undefined ? {} : objectAt(body, 'The body', cancelSchema);
  const posted = await runner.post(header.runId, {
    id: `cancel:${host.invocationId}`,
    type: 'cancel',
    by: principal?.id,
    ...(reason === undefined ? {} : { reason: textAt(reason, 'reason', { maxLength: 1_000 }) }),
  });
  // It has ended: that is what the caller wanted to know.
  if (!posted.accepted) return state(scope, exchange);
  await goOn(scope, header, exchange);
  return accepted(scope, header);
}

async function decisions(scope: Scope, exchange: Exchange): Promise<Answer> {
  const { request, host, principal } = exchange;
  const { header, runner } = await visibleRun(scope, exchange);
  const answers = toDecisions(await readJson(request, host, scope.bodyLimitBytes));
  // The same answers by the same caller are the same signal: a request that is sent again counts once and is accepted.
  const id = await sha256Hex(canonicalJson([principal?.id ?? null, toJson(answers)]), 128);
  const counts = await runner
    .post(header.runId, {
      id: `decide:${id}`,
      type: 'decide',
      decisions: answers,
      by: principal?.id,
    })
    .then(
      ({ accepted: isAccepted }) => isAccepted,
      (error: unknown) => {
        if (AgentError.isInstance(error) && error.details?.['decided'] === true) return false;
        throw error;
      },
    );
  if (!counts) {
    throw new Problem(
      409,
      'approval_invalid',
      'One of these interruptions was decided before, or has expired; nothing of this request counts. Look at the run.',
      { more: { run_id: header.runId, links: runLinks(scope, header.runId) } },
    );
  }
  await goOn(scope, header, exchange);
  return accepted(scope, header);
}

/** A signal was posted: whoever holds the run sees it; where nobody does, we take it up. */
async function goOn(scope: Scope, header: RunHeader, { host }: Exchange): Promise<void> {
  const peek = await scope.store.runs.peek(header.runId);
  if (peek !== undefined && !peek.ended && peek.lease === undefined) takeUp(scope, header, host);
}
