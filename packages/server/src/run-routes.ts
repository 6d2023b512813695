import {
  AgentError,
  canonicalJson,
  sha256Hex,
  toJson,
  type PostResult,
} from '@agent-functions/core';
import type { Answer } from './answer.ts';
import { reasonIn } from './cancel-request.ts';
import { toDecisions } from './decisions-request.ts';
import { followRun, lastEventId } from './follow-run.ts';
import { operations } from './operations.ts';
import { tooLate } from './too-late.ts';
import { readJson } from './read-body.ts';
import type { ApiRoute, Reply } from './routes.ts';
import {
  accepted,
  json,
  runLinks,
  takeUpIfFree,
  visibleRun,
  wakeIfAbandoned,
  type Exchange,
  type Scope,
} from './scope.ts';

/** A run: its state, its events, a stop, answers to what it asked. */
export function runRoutes(scope: Scope): readonly ApiRoute[] {
  const run = `${scope.prefix}/runs/{id}`;
  const decide = (exchange: Exchange) => decisions(scope, exchange);
  return [
    {
      method: 'GET',
      path: run,
      name: 'run',
      operation: operations.run,
      handle: (exchange) => state(scope, exchange),
    },
    {
      method: 'GET',
      path: `${run}/events`,
      name: 'events',
      operation: operations.events,
      handle: (exchange) => events(scope, exchange),
    },
    {
      method: 'POST',
      path: `${run}/cancel`,
      name: 'cancel',
      operation: operations.cancel,
      handle: (exchange) => cancel(scope, exchange),
    },
    {
      method: 'POST',
      path: `${run}/decisions`,
      name: 'decisions',
      operation: operations.decisions,
      handle: decide,
    },
    {
      method: 'POST',
      path: `${run}/approvals`,
      name: 'decisions',
      operation: { ...operations.decisions, id: 'decideApprovals' },
      handle: decide,
    },
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
  const startedAt = Date.now();
  const { header } = await visibleRun(scope, exchange);
  const after = new URL(exchange.request.url).searchParams.get('after') ?? undefined;
  const from = { cursor: lastEventId(exchange.request) ?? after, startedAt };
  return followRun(scope, exchange, header, from, () => wakeIfAbandoned(scope, header, exchange));
}

async function cancel(scope: Scope, exchange: Exchange): Promise<Answer> {
  const { request, host, principal } = exchange;
  const { header, runner } = await visibleRun(scope, exchange);
  const reason = reasonIn(await readJson(request, host, scope.bodyLimitBytes));
  const posted = await runner.post(header.runId, {
    id: `cancel:${host.invocationId}`,
    type: 'cancel',
    by: principal?.id,
    ...(reason === undefined ? {} : { reason }),
  });
  // It has ended: that is what the caller wanted to know.
  if (!posted.accepted) return state(scope, exchange);
  await takeUpIfFree(scope, header, host);
  return accepted(scope, header);
}

async function decisions(scope: Scope, exchange: Exchange): Promise<Answer> {
  const { request, host, principal } = exchange;
  const { header, runner } = await visibleRun(scope, exchange);
  const answers = toDecisions(await readJson(request, host, scope.bodyLimitBytes));
  // The same answers by the same caller are the same signal: a request that is sent again counts once and is accepted.
  const id = await sha256Hex(canonicalJson([principal?.id ?? null, toJson(answers)]), 128);
  const posted = await runner
    .post(header.runId, {
      id: `decide:${id}`,
      type: 'decide',
      decisions: answers,
      by: principal?.id,
    })
    .catch((error: unknown): PostResult => {
      if (AgentError.isInstance(error) && error.details?.['decided'] === true) {
        return { accepted: false };
      }
      throw error;
    });
  if (!posted.accepted) throw await tooLate(scope, header, answers, posted.counted);
  await takeUpIfFree(scope, header, host);
  return accepted(scope, header);
}
