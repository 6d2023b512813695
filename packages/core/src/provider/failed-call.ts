import { ModelError, type ModelErrorReason } from '../errors.ts';
import type { Json } from '../json.ts';
import { redact, type Secrets } from './redact.ts';

/** What an error must know of the call to be worth reading. */
export interface ErrorContext extends Secrets {
  readonly provider: string;
  /** The first words: who failed. */
  readonly who: string;
  readonly model: string;
  /** What to check when the key is refused. */
  readonly keyName: string;
  /** What to do, by reason, where the usual advice does not help. `404`: of a model or a path that is not known. */
  readonly advice?: { readonly [reason in ModelErrorReason | 404]?: string } | undefined;
}

/** What a vendor said of a call that failed. */
export interface CallFailure {
  readonly reason: ModelErrorReason;
  /** The vendor's own sentence, or ''. */
  readonly message: string;
  /** The status of the answer; none where it came inside a stream that had begun with 200. */
  readonly status?: number | undefined;
  readonly retryAfterMs?: number | undefined;
  /** Facts for programs: the vendor's code, the id of the request. What is `undefined` or null is left out. */
  readonly details?: { readonly [name: string]: string | readonly string[] | null | undefined };
  /** What happened, in the place of the usual words of the reason; the vendor's sentence follows. */
  readonly what?: string | undefined;
  /** What to do, in the place of all other advice. */
  readonly advice?: string | undefined;
}

/** The error of a call that the vendor failed or refused, with what to do about it, and without any secret. Pure. */
export function failedCall(failure: CallFailure, context: ErrorContext): ModelError {
  const { reason, status, retryAfterMs } = failure;
  const details: { [name: string]: Json } = {};
  for (const [name, value] of Object.entries(failure.details ?? {})) {
    if (typeof value === 'string') details[name] = redact(value, context);
    else if (value !== undefined && value !== null && value.length > 0) {
      details[name] = value.map((one) => redact(one, context));
    }
  }
  return new ModelError(sentence(failure, context), {
    reason,
    provider: context.provider,
    ...(status === undefined ? {} : { status }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(Object.keys(details).length === 0 ? {} : { details }),
  });
}

function sentence(failure: CallFailure, context: ErrorContext): string {
  const { reason } = failure;
  const status = failure.status === undefined ? '' : ` (${failure.status})`;
  const said = redact(failure.message, context).trim();
  // The vendor's sentence about a key is left out: it repeats a part of it.
  const why = said === '' || reason === 'authentication' ? '' : `: ${said.replace(/[.\s]+$/, '')}`;
  const what = failure.what ?? usualWords(failure, context);
  const todo = failure.advice ?? adviceOn(failure, context);
  return `${what}${status}${why}.${todo === '' ? '' : ` ${todo}`}`;
}

function usualWords({ reason, status }: CallFailure, { who, model }: ErrorContext): string {
  switch (reason) {
    case 'authentication':
      return `${who} refused the key`;
    case 'permission':
      return `${who} does not allow this call of ${model}`;
    case 'quota':
      return `${who} has no quota left for ${model}`;
    case 'rate-limit':
      return `${who} limits the rate of ${model}`;
    case 'context-length':
      return `The conversation is longer than ${model} can read`;
    case 'content-filter':
      return `${who} filtered the request`;
    case 'overloaded':
      return `${who} failed to answer`;
    case 'timeout':
      return `${who} took too long to answer`;
    case 'invalid-request':
      if (status === 404) return `${who} does not know the model ${model}, or has no such path`;
      return status === 413
        ? `The request is larger than ${within(who)} takes`
        : `${who} refused the request`;
    default:
      return `${who} failed`;
  }
}

/** A name that begins a sentence, inside of one. */
export function within(who: string): string {
  return who.startsWith('The ') ? `the ${who.slice(4)}` : who;
}

const usualAdvice: { readonly [reason in ModelErrorReason | 404 | 413]?: string } = {
  permission: 'Check what the key may do.',
  quota: 'Check its plan and billing.',
  'context-length': 'Send less history.',
  'content-filter': 'Change what is asked.',
  overloaded: 'Retry later.',
  timeout: 'Retry, or ask for less.',
  404: 'Check the name and the base URL.',
  413: 'Send smaller files or less history.',
};

function adviceOn(failure: CallFailure, { keyName, advice = {} }: ErrorContext): string {
  const { reason, status, retryAfterMs: wait } = failure;
  if (reason === 'authentication') return `Check ${keyName}.`;
  if (reason === 'rate-limit') {
    return wait === undefined || wait === 0
      ? 'Retry later.'
      : `Retry in ${Number((wait / 1000).toFixed(1))} s.`;
  }
  if (reason === 'invalid-request' && status === 404) return advice[404] ?? usualAdvice[404] ?? '';
  if (reason === 'invalid-request' && status === 413) return usualAdvice[413] ?? '';
  return advice[reason] ?? usualAdvice[reason] ?? '';
}

const byStatus: { readonly [status: number]: ModelErrorReason } = {
  401: 'authentication',
  402: 'quota',
  403: 'permission',
  408: 'timeout',
  409: 'overloaded',
  425: 'overloaded',
  429: 'rate-limit',
  // Of servers that give up a call whose client left.
  499: 'overloaded',
  504: 'timeout',
};

/** Why a call failed, by the status alone: redirects are refusals (they are not followed), other 5xx an overload. */
export function reasonOfStatus(status: number): ModelErrorReason {
  const known = byStatus[status];
  if (known !== undefined) return known;
  if (status >= 500) return 'overloaded';
  return status >= 300 ? 'invalid-request' : 'unknown';
}
