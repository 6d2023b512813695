import { Abort } from './abort.ts';
import type { AgentDefinition } from './agent-definition.ts';
import { errorText } from './call-outcome.ts';
import { AgentError, GuardrailTripwireTriggered } from './errors.ts';
import type { RunEventOf } from './events.ts';
import type { Guardrail, GuardrailResult } from './guardrail.ts';
import { toJson, type Json } from './json.ts';
import type { LiveRun } from './live-run.ts';
import { verdictOf, type FrameState } from './frame.ts';
import { orAbort } from './wait.ts';

/** What guardrails are asked about. */
export interface Guarded<C> {
  readonly live: LiveRun<C>;
  readonly frame: FrameState;
  readonly agent: AgentDefinition<C, unknown>;
  readonly on: RunEventOf<'guardrail-result'>['on'];
  readonly callId?: string | undefined;
  readonly toolName?: string | undefined;
  /** A rewrite must pass it. @throws AgentError when it does not. */
  readonly fits?: ((value: Json, guardrail: string) => void | Promise<void>) | undefined;
}

/** How guardrails decided together: the value as it goes on, or what whoever is refused reads. */
export type Verdict =
  | { readonly passed: true; readonly value: Json; readonly rewritten: boolean }
  | { readonly passed: false; readonly message: string };

/**
 * Asks guardrails one after the other, each about what the one before made of the value; what each decided is recorded,
 * and a decision that is recorded is not made again.
 *
 * @throws GuardrailTripwireTriggered. AgentError `guardrail_error` for one that throws: what could not be checked does
 *   not pass.
 */
export async function guard<C>(
  what: Guarded<C>,
  guardrails: readonly Guardrail<C>[],
  value: Json,
): Promise<Verdict> {
  let present = value;
  let rewritten = false;
  const { abort } = what.live;
  for (const guardrail of guardrails) {
    const result = applied(what, guardrail, await check(what, guardrail, present, abort));
    if (result.action === 'reject') return { passed: false, message: result.message };
    // The next one may take its time.
    if (guardrail !== guardrails.at(-1)) what.live.flushSoon();
    if (result.action !== 'rewrite') continue;
    present = result.value;
    rewritten = true;
  }
  return { passed: true, value: present, rewritten };
}

/**
 * The same, all at once: for guardrails that run beside a model call. A tripwire counts whoever else objects; else they
 * decide in order, and where one rewrites, those after it are asked again about what it made. `onObjection` is called as
 * soon as one does not allow the value as it is.
 */
export async function guardAtOnce<C>(
  what: Guarded<C>,
  guardrails: readonly Guardrail<C>[],
  value: Json,
  onObjection: () => void,
): Promise<Verdict> {
  const { live } = what;
  const all = linkedAbort(live.abort);
  const checks = guardrails.map((guardrail) => check(what, guardrail, value, all.abort));
  const tripped = new Promise<never>((_resolve, reject) => {
    for (const [index, one] of checks.entries()) {
      one.then((result) => {
        if (result.action === 'allow') return;
        onObjection();
        const guardrail = guardrails[index];
        if (result.action !== 'tripwire' || guardrail === undefined) return;
        reject(trip(what, guardrail, result));
      }, reject);
    }
  });
  tripped.catch(() => undefined);
  try {
    let present = value;
    let rewritten = false;
    for (const [index, guardrail] of guardrails.entries()) {
      const first = rewritten ? undefined : checks[index];
      const result = await (first === undefined
        ? check(what, guardrail, present, all.abort)
        : Promise.race([first, tripped]));
      // Nothing is decided while somebody may yet trip.
      if (result.action !== 'allow') await Promise.race([Promise.all(checks), tripped]);
      const decided = applied(what, guardrail, result);
      if (decided.action === 'reject') return { passed: false, message: decided.message };
      live.flushSoon();
      if (decided.action !== 'rewrite') continue;
      present = decided.value;
      rewritten = true;
    }
    return { passed: true, value: present, rewritten };
  } finally {
    all.unlink();
    all.abort.abort(new AgentError('aborted', 'Other guardrails decided.'));
  }
}

/** An abort of its own that comes with `parent`'s, until it is unlinked. */
export function linkedAbort(parent: Abort): { readonly abort: Abort; unlink(): void } {
  const abort = new Abort();
  const onParent = () => abort.abort(parent.reason);
  if (parent.aborted) onParent();
  else parent.addEventListener('abort', onParent, { once: true });
  return { abort, unlink: () => parent.removeEventListener('abort', onParent) };
}

/** Records a decision. @throws GuardrailTripwireTriggered. */
function applied<C>(
  what: Guarded<C>,
  guardrail: Guardrail<C>,
  result: GuardrailResult,
): Exclude<GuardrailResult, { readonly action: 'tripwire' }> {
  if (result.action === 'tripwire') throw trip(what, guardrail, result);
  record(what, guardrail.name, result);
  return result;
}

/** What a guardrail decides, now or when it was asked before. @throws AgentError `guardrail_error`. */
async function check<C>(
  what: Guarded<C>,
  guardrail: Guardrail<C>,
  value: Json,
  abort: Abort,
): Promise<GuardrailResult> {
  const { live, frame, agent, on, callId, toolName } = what;
  const known = verdictOf(frame, { on, callId, name: guardrail.name });
  if (known !== undefined) return known;
  const context = live.contextOf(frame);
  try {
    const checked = guardrail.check({
      value,
      context,
      agent: agent.name,
      toolName,
      signal: abort.signal,
    });
    const result = toResult(await orAbort(Promise.resolve(checked), abort));
    if (result.action === 'rewrite') await what.fits?.(result.value, guardrail.name);
    return result;
  } catch (error) {
    abort.throwIfAborted();
    throw new AgentError(
      'guardrail_error',
      `Guardrail ${guardrail.name} of ${agent.name} failed, so nothing passed it: ${errorText(error)}`,
      { cause: error },
    );
  }
}

// Plain JavaScript may answer anything; what is no decision does not pass.
function toResult(result: GuardrailResult): GuardrailResult {
  switch (result?.action) {
    case 'allow':
      return { action: 'allow' };
    case 'rewrite':
      if (result.value === undefined) break;
      return { action: 'rewrite', value: toJson(result.value) };
    case 'reject':
      if (typeof result.message !== 'string') break;
      return { action: 'reject', message: result.message };
    case 'tripwire':
      return {
        action: 'tripwire',
        ...(result.info === undefined ? {} : { info: toJson(result.info) }),
      };
    default:
      result satisfies never;
  }
  throw new Error(
    `it answered ${JSON.stringify(result)}; write { action: 'allow' }, { action: 'rewrite', value }, { action: 'reject', message } or { action: 'tripwire' }`,
  );
}

function record<C>(
  { live, frame, on, callId }: Guarded<C>,
  name: string,
  result: GuardrailResult,
): void {
  if (verdictOf(frame, { on, callId, name }) !== undefined) return;
  const value =
    result.action === 'rewrite'
      ? result.value
      : result.action === 'tripwire'
        ? result.info
        : undefined;
  live.stage(frame, {
    type: 'guardrail-result',
    name,
    on,
    ...(callId === undefined ? {} : { callId }),
    action: result.action,
    ...(value === undefined ? {} : { value }),
    ...(result.action === 'reject' ? { message: result.message } : {}),
  });
}

// Nothing is begun any more, whatever works beside it.
function trip<C>(
  what: Guarded<C>,
  { name }: Guardrail<C>,
  result: GuardrailResult,
): GuardrailTripwireTriggered {
  record(what, name, result);
  const error = tripwire(name);
  what.live.abort.abort(error);
  return error;
}

/** The end of a run by a guardrail. */
export function tripwire(name: string): GuardrailTripwireTriggered {
  return new GuardrailTripwireTriggered(`Guardrail ${name} stopped the run.`, { guardrail: name });
}

/** Whether an error ends the run wherever it comes from. */
export function isTripwire(error: unknown): boolean {
  return AgentError.isInstance(error) && error.code === 'guardrail_tripwire';
}

/** The failure of an agent whose input, or whose answers, guardrails refused. */
export function rejected(message: string) {
  return { code: 'guardrail_rejected' as const, message };
}
