import type { ModelErrorReason, RunFailure } from './errors.ts';
import type { RunEvent, RunEventOf, Watched } from './events.ts';
import type { Decision, Interruption } from './interruption.ts';
import type { Json, JsonObject } from './json.ts';
import type { Message, Output, Part } from './message.ts';
import type { Reflection } from './run-result.ts';
import type { Usage } from './usage.ts';

// What leaves the process (journal.md, Durable events): field by field, so that a new field is private until it is
// listed here. Keys are snake_case; the JSON of users (inputs, outputs, contexts) is passed on as it is.

/**
 * A journal event or delta as a client sees it. Every event has a public form, so that the numbers a client sees have no
 * gap; vendor data, idempotency keys, held text, claims, checkpoints and the text of internal errors are not in it.
 */
export function toPublicEvent(event: Watched): JsonObject {
  return 'seq' in event ? publicDurable(event) : publicDelta(event);
}

function publicDurable(event: RunEvent): JsonObject {
  const { type, seq, at, runId, frame, agent } = event;
  return { type, seq, at, run_id: runId, frame, agent, ...durableFields(event) };
}

function durableFields(event: RunEvent): JsonObject {
  switch (event.type) {
    case 'run-start':
      return present({
        input: event.input.map(publicMessage),
        session_id: event.sessionId,
        user_id: event.userId,
        context: event.requestContext,
      });
    case 'model-response':
      return present({
        purpose: event.purpose,
        // What a judge, a router or a guardrail said is nobody's business outside; held text waits for its guardrail.
        message:
          event.purpose !== 'turn' || event.held === true
            ? undefined
            : publicMessage(event.message),
        held: event.held,
        finish_reason: event.finishReason,
        provider: event.provider,
        model: event.modelId,
        usage: publicUsage(event.usage),
      });
    case 'tool-start':
      return {
        call_id: event.callId,
        tool_name: event.toolName,
        input: event.input,
        effect: event.effect,
      };
    case 'tool-checkpoint':
    case 'session-state':
      return { call_id: event.callId };
    case 'tool-result':
      return {
        call_id: event.callId,
        tool_name: event.toolName,
        ...publicOutput(event.output),
        is_error: event.isError,
        how: event.how,
      };
    case 'interruption':
      return { interruption: publicInterruption(event.interruption) };
    case 'decision':
      return present({ ...publicDecision(event.decision), by: event.by });
    case 'handoff':
      return present({
        to: event.to,
        child_frame: event.childFrame,
        call_id: event.callId,
        primitive: event.primitive,
        reason: event.reason,
      });
    case 'frame-end':
      return present({
        ...(event.output === undefined ? {} : publicOutput(event.output)),
        error: event.error === undefined ? undefined : publicFailure(event.error),
      });
    case 'guardrail-result':
      return present({
        name: event.name,
        on: event.on,
        call_id: event.callId,
        action: event.action,
        // What was made of an answer may yet be refused; when it has passed, it is shown in its place.
        value: event.action === 'rewrite' && isAsked(event.on) ? event.value : undefined,
        message: event.message,
      });
    case 'compaction':
      return { removed: event.removed, cleared: event.cleared };
    case 'reflection':
      return { ...publicDraft(event), done: event.done };
    case 'route':
      return present({ to: event.to, reason: event.reason });
    case 'warning':
      // The message may tell of the inside (addresses, settings): it is for the log.
      return { code: event.code };
    case 'cancel-request':
      return present({ by: event.by, reason: event.reason });
    case 'run-pause':
      return { interruptions: event.interruptions };
    case 'run-resume':
      return { attempt: event.attempt };
    case 'run-end':
      return present({
        status: event.status,
        response: event.response,
        ...(event.output === undefined ? {} : publicOutput(event.output)),
        finish_reason: event.finishReason,
        stop_reason: event.stopReason,
        error: event.error === undefined ? undefined : publicFailure(event.error),
        usage: publicUsage(event.usage),
        handoff_path: event.handoffPath,
      });
    default:
      return event satisfies never;
  }
}

function isAsked(on: RunEventOf<'guardrail-result'>['on']): boolean {
  return on === 'input' || on === 'tool-input';
}

function publicDelta(event: Exclude<Watched, RunEvent>): JsonObject {
  const { type, runId, frame, agent } = event;
  const base = { type, run_id: runId, frame, agent };
  switch (event.type) {
    case 'turn-start':
      return { ...base, turn: event.turn };
    case 'text-delta':
    case 'reasoning-delta':
      return { ...base, message_id: event.messageId, delta: event.delta };
    case 'tool-input-delta':
      return { ...base, call_id: event.callId, tool_name: event.toolName, delta: event.delta };
    case 'tool-progress':
      return { ...base, call_id: event.callId, data: event.data };
    case 'void':
      return base;
    case 'model-retry':
      return { ...base, reason: event.reason, attempt: event.attempt, after_ms: event.afterMs };
    case 'model-fallback':
      return { ...base, from: event.from, to: event.to, reason: event.reason };
    default:
      return event satisfies never;
  }
}

/** How an answer was judged and rewritten. */
export function publicReflection({ score, iterations, history }: Reflection): JsonObject {
  const drafts = history.map(publicDraft);
  return present({ score, iterations, history: drafts, error: drafts.at(-1)?.['error'] });
}

function publicDraft(step: Reflection['history'][number]): JsonObject {
  const { iteration, score, scores, accepted, feedback, error, held } = step;
  const base = { iteration, score, scores, accepted };
  return held === true
    ? present({ ...base, error: error === undefined ? undefined : { code: error.code } })
    : present({ ...base, feedback, error: error === undefined ? undefined : publicFailure(error) });
}

/** A message without vendor data. */
export function publicMessage(message: Message): JsonObject {
  return present({
    id: message.id,
    role: message.role,
    agent: message.agent,
    parts: message.parts.map(publicPart),
  });
}

function publicPart(part: Part): JsonObject {
  switch (part.type) {
    case 'text':
    case 'refusal':
      return { type: part.type, text: part.text };
    case 'reasoning':
      return present({ type: part.type, text: part.text });
    case 'file':
      return present({
        type: part.type,
        media_type: part.mediaType,
        url: part.url,
        data: part.data,
        name: part.name,
      });
    case 'tool-call':
      return {
        type: part.type,
        call_id: part.callId,
        tool_name: part.toolName,
        input: part.input,
      };
    case 'tool-result':
      return present({
        type: part.type,
        call_id: part.callId,
        tool_name: part.toolName,
        ...publicOutput(part.output),
        is_error: part.isError,
      });
    case 'summary':
      return { type: part.type, text: part.text, replaces: part.replaces };
    default:
      return part satisfies never;
  }
}

/** JSON as `output`, content as `content`: a list of parts is JSON too. */
function publicOutput(output: Output): JsonObject {
  return output.type === 'json'
    ? { output: output.value }
    : { content: output.parts.map(publicPart) };
}

/** An interruption as whoever answers it sees it. */
export function publicInterruption(interruption: Interruption): JsonObject {
  return present({
    id: interruption.id,
    kind: interruption.kind,
    frame: interruption.frame,
    agent: interruption.agent,
    call_id: interruption.callId,
    tool_name: interruption.toolName,
    input: interruption.input,
    input_hash: interruption.inputHash,
    schema: interruption.schema,
    message: interruption.message,
    expires_at: interruption.expiresAt,
  });
}

function publicDecision(decision: Decision): JsonObject {
  const { interruptionId, ...answer } = decision;
  return present({ interruption_id: interruptionId, ...answer });
}

/**
 * A failure as a client may read it: a code always, the message where this library wrote it. The text of a thrown error
 * or of a vendor's refusal of credentials stays inside.
 */
export function publicFailure(failure: RunFailure): JsonObject {
  return present({
    code: failure.code,
    message: publicReason(failure),
    reason: failure.reason,
    retry_after: failure.retryAfterMs === undefined ? undefined : failure.retryAfterMs / 1000,
  });
}

/** The message of a failure, as far as it is for everybody. */
export function publicReason(failure: RunFailure): string {
  if (failure.reason !== undefined) return reasonTexts[failure.reason];
  switch (failure.code) {
    case 'internal':
      return 'The server failed. Its log has the reason.';
    case 'guardrail_error':
      return 'A check of this agent failed, so nothing passed it. The log of the server has the reason.';
    case 'context_error':
      return 'The server could not prepare the run. Its log has the reason.';
    case 'tool_error':
      return 'A tool failed and ended the run. The log of the server has the reason.';
    case 'store_unavailable':
      return 'The server cannot reach its store. Try again later; its log has the reason.';
    default:
      return failure.message;
  }
}

/** A failed model call in our words: the vendor's, with hosts and names of models, are for the log. */
const reasonTexts: { readonly [reason in ModelErrorReason]: string } = {
  'rate-limit': 'The model limits how often it is asked. Try again later.',
  quota: 'The quota of this server for the model is used up.',
  overloaded: 'The model is overloaded. Try again later.',
  network: 'The connection to the model failed. Try again later.',
  timeout: 'The model took too long to answer. Try again, or ask for less.',
  authentication:
    'The model refused the credentials of this server. The log of the server has the reason.',
  permission:
    'The model refused the credentials of this server. The log of the server has the reason.',
  'invalid-request': 'The model refused the request. The log of the server has the reason.',
  'context-length': 'The conversation is longer than the model can read. Start a new one.',
  'content-filter':
    "The content filter of the model's provider stopped the answer. Change what is asked.",
  'invalid-response': 'The model broke off or answered in a form that cannot be read. Try again.',
  unknown: 'The model failed. The log of the server has the reason.',
};

/** Token counts as a client sees them; the single requests stay inside. */
export function publicUsage(
  usage: Pick<
    Usage,
    | 'inputTokens'
    | 'outputTokens'
    | 'totalTokens'
    | 'cachedInputTokens'
    | 'cacheWriteInputTokens'
    | 'reasoningTokens'
    | 'costUsd'
  > & { readonly requests?: number },
): JsonObject {
  return present({
    requests: usage.requests,
    input_tokens: usage.inputTokens,
    output_tokens: usage.outputTokens,
    total_tokens: usage.totalTokens,
    cached_input_tokens: usage.cachedInputTokens,
    cache_write_input_tokens: usage.cacheWriteInputTokens,
    reasoning_tokens: usage.reasoningTokens,
    cost_usd: usage.costUsd,
  });
}

/** Leaves out what is `undefined`. */
function present(fields: { readonly [key: string]: Json | undefined }): JsonObject {
  const out: { [key: string]: Json } = {};
  for (const [key, value] of Object.entries(fields)) if (value !== undefined) out[key] = value;
  return out;
}
