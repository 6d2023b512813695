import type { HostContext, HttpHandler as Serve, Logger, Principal } from '@agent-functions/core';
import type {
  HttpHandler,
  HttpRequest,
  HttpResponseInit,
  InvocationContext,
} from '@azure/functions';
import { easyAuthPrincipal, type EasyAuthOptions } from './easy-auth.ts';
import { askToEnd, giveUp, type HandOvers } from './hand-over.ts';
import type { Invocation, Invocations } from './invocations.ts';
import {
  internalProblem,
  lengthRequired,
  problemResponse,
  stopping,
  timedOut,
  unauthorized,
  type Problem,
} from './problem.ts';
import { toRequest, type ConvertedRequest } from './to-request.ts';
import { toResponseInit } from './to-response-init.ts';
import { onClientGone, type WireTap } from './wire.ts';

export interface HttpFunctionOptions {
  readonly serve: Serve;
  readonly wires: WireTap;
  readonly invocations: Invocations;
  /** Where another worker can go on with a run of this one. */
  readonly handOvers: HandOvers | undefined;
  readonly logger: Logger;
  /** Whether the library was told to stream: then its headers may be a caller's words, unless the wire is known. */
  readonly streaming: boolean;
  readonly easyAuth: EasyAuthOptions | undefined;
  /** With `easyAuth`: whether callers whom the platform does not name are refused. */
  readonly principalRequired: boolean;
  /** How long the host lets a function run. */
  readonly functionTimeoutMs: () => number;
}

/** The front end gives up on an answer that has not begun by then (230 s), so it is ready a little earlier. */
const firstByteMs = 210_000;

/** A function of `@azure/functions` that answers with `serve`. It never throws, and always answers with a status. */
export function httpFunction(options: HttpFunctionOptions): HttpHandler {
  return async (request, context) => {
    // cure: trap-1 | return await answer(request, context, options);
    try {
      return await answer(request, context, options);
    } catch (error) {
      // An exception would leave the client waiting until the platform cuts it, after 230 s.
      options.logger.log('error', `The invocation failed: ${textOf(error)}`, {
        invocationId: context.invocationId,
      });
      return problemResponse(internalProblem(context.invocationId));
    }
    // cure-end: trap-1
  };
}

async function answer(
  request: HttpRequest,
  context: InvocationContext,
  options: HttpFunctionOptions,
): Promise<HttpResponseInit> {
  const { invocationId } = context;
  const wire = options.wires.take(invocationId);
  const trusted = wire !== undefined || !options.streaming;
  const invocation = options.invocations.begin();
  const { signal } = invocation;
  let settleBody: ConvertedRequest['settleBody'] = async () => undefined;
  const refuse = async (problem: Problem): Promise<HttpResponseInit> => {
    await settleBody();
    invocation.end();
    return problemResponse(problem);
  };
  try {
    // cure: trap-3
    if (wire !== undefined) onClientGone(wire, () => invocation.abort('client-gone'));
    // cure-end: trap-3
    // cure: trap-8
    if (wire === undefined && isChunked(request) && (await lostItsBody(request)))
      return await refuse(lengthRequired(invocationId));
    // cure-end: trap-8
    const converted = toRequest(request, { wire, signal, trusted });
    settleBody = converted.settleBody;
    const host = hostOf(converted.request, context, invocation, { ...options, trusted });
    if (host.principal === undefined && options.principalRequired)
      return await refuse(unauthorized(invocationId));
    const timer = setTimeout(
      () => invocation.abort('time-limit'),
      options.functionTimeoutMs() * giveUp,
    );
    invocation.onEnd(() => clearTimeout(timer));
    const served = options.serve(converted.request, host);
    const response = await Promise.race([served, invocation.givenUp]);
    if (typeof response !== 'string')
      return await toResponseInit(response, { wire, invocation, host, settleBody });
    served.then((late) => late.body?.cancel()).catch(() => undefined);
    return await refuse(
      response === 'time-limit' ? timedOut(invocationId) : stopping(invocationId),
    );
  } catch (error) {
    await settleBody();
    invocation.end();
    throw error;
  }
}

/** What the host knows of the request. */
function hostOf(
  request: Request,
  context: InvocationContext,
  invocation: Invocation,
  options: HttpFunctionOptions & { readonly trusted: boolean },
): HostContext {
  const { invocationId } = context;
  const { logger, invocations } = options;
  const leaving = options.handOvers?.begin(options.functionTimeoutMs());
  if (leaving !== undefined) invocation.onEnd(() => leaving.end());
  const log: HostContext['log'] = (level, message, fields) =>
    // cure: trap-7 | context.log(level, message, fields);
    logger.log(level, message, { invocationId, ...fields });
  // cure-end: trap-7
  return {
    invocationId,
    signal: invocation.signal,
    principal: options.trusted ? principalOf(request, options.easyAuth, log) : undefined,
    deadline: Date.now() + timeToAnswer(request, options.functionTimeoutMs()),
    traceparent: context.traceContext?.traceParent,
    handOver: leaving?.handOver,
    waitUntil: (work) => invocations.waitUntil(work, log),
    log,
  };
}

function principalOf(
  request: Request,
  easyAuth: EasyAuthOptions | undefined,
  log: HostContext['log'],
): Principal | undefined {
  if (easyAuth === undefined) return undefined;
  try {
    return easyAuthPrincipal(request.headers, easyAuth);
  } catch (error) {
    log('warn', `The caller counts as nobody: ${textOf(error)}`);
    return undefined;
  }
}

function timeToAnswer(request: Request, functionTimeoutMs: number): number {
  const available = functionTimeoutMs * askToEnd;
  const stream = request.headers.get('accept')?.includes('text/event-stream') === true;
  return stream ? available : Math.min(available, firstByteMs);
}

function isChunked(request: HttpRequest): boolean {
  return request.headers.get('transfer-encoding')?.toLowerCase().includes('chunked') === true;
}

/** On the buffered path a chunked request arrives without its body. Nothing is streamed there, so a copy costs little. */
async function lostItsBody(request: HttpRequest): Promise<boolean> {
  if (request.body === null) return true;
  const first = await request.clone().body?.getReader().read();
  return first === undefined || first.done;
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
