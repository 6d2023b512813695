import { toJson, type Json } from '../json.ts';
import type { FinishReason, ModelPart, ModelResponse, ModelStreamEvent } from '../model.ts';
import type { RequestUsage } from '../usage.ts';
import type { Gate } from './gate.ts';

/** A tool call of a turn: `['get_weather', { city: 'Seattle' }]`. `inputText` is streamed instead where the JSON is broken. */
export type ScriptedCall =
  | readonly [toolName: string, input: unknown]
  | {
      readonly toolName: string;
      readonly input?: unknown;
      readonly inputText?: string | undefined;
      readonly providerData?: ModelPart['providerData'];
    };

/** What a turn waits for: a promise, a function that makes one when the turn gets there, or a `gate()`. */
export type Wait = PromiseLike<unknown> | (() => PromiseLike<unknown>) | Gate;

/** One answer of a scripted model. Parts come in this order: reasoning, text (or json), refusal, calls. */
export interface ScriptedAnswer {
  readonly reasoning?: string | undefined;
  readonly text?: string | undefined;
  /** A structured answer: its JSON is the text. */
  readonly json?: unknown;
  readonly refusal?: string | undefined;
  readonly calls?: readonly ScriptedCall[] | undefined;
  /** The parts of the response as they are, after the ones above; no deltas are made for them. */
  readonly parts?: readonly ModelPart[] | undefined;
  /** Events (and waits) before those of the answer: `restart`, `warning`, deltas cut by hand. */
  readonly events?: readonly (ModelStreamEvent | Wait)[] | undefined;
  /** Default: 10 in, 5 out. `totalTokens` is the sum unless it is given. */
  readonly usage?: Partial<RequestUsage> | undefined;
  readonly finishReason?: FinishReason | undefined;
  readonly responseId?: string | undefined;
  /** The model that the response names. */
  readonly modelId?: string | undefined;
  /** Waited for before the first event. */
  readonly before?: Wait | undefined;
  /** Waited for between the deltas and the response. */
  readonly beforeResponse?: Wait | undefined;
  /** Thrown where the response would be: a `ModelError`, or anything. */
  readonly error?: unknown;
  /** Only so many events, then the end without a response, or `error`. */
  readonly breakAfter?: number | undefined;
  /** Where the response would be nothing comes until the signal aborts. */
  readonly hang?: boolean | undefined;
}

/** A turn: text, an answer, or an error to throw. */
export type ScriptedTurn = string | ScriptedAnswer | Error;

/** What a turn comes to, made once for each turn of a list. */
export interface Plan {
  readonly steps: readonly (ModelStreamEvent | Pause)[];
  readonly ending: { readonly type: 'end' | 'hang' } | { readonly type: 'throw'; error: unknown };
}
export interface Pause {
  readonly type: 'pause';
  readonly until: Wait;
}

/** `chunkSize` undefined: no deltas, the response in one piece. */
export function toPlan(turn: ScriptedTurn, chunkSize: number | undefined): Plan {
  if (turn instanceof Error) return { steps: [], ending: { type: 'throw', error: turn } };
  const answer: ScriptedAnswer = typeof turn === 'string' ? { text: turn } : turn;
  const text = 'json' in answer ? JSON.stringify(answer.json) : answer.text;
  const calls = (answer.calls ?? []).map(toCall);

  const steps: (ModelStreamEvent | Pause)[] = [];
  const pause = (until: Wait | undefined): void => {
    if (until !== undefined) steps.push({ type: 'pause', until });
  };
  pause(answer.before);
  for (const item of answer.events ?? []) {
    if ('type' in item) steps.push(item);
    else pause(item);
  }
  if (chunkSize !== undefined) {
    for (const delta of chunks(answer.reasoning, chunkSize)) {
      steps.push({ type: 'reasoning-delta', delta });
    }
    for (const delta of chunks(text, chunkSize)) steps.push({ type: 'text-delta', delta });
    for (const [index, { toolName, inputText }] of calls.entries()) {
      for (const delta of chunks(inputText, chunkSize)) {
        steps.push({ type: 'tool-input-delta', index, toolName, delta });
      }
    }
  }
  pause(answer.beforeResponse);

  if (answer.breakAfter !== undefined) {
    const kept = steps.slice(0, endOf(steps, answer.breakAfter));
    const error = answer.error;
    return {
      steps: kept,
      ending: error === undefined ? { type: 'end' } : { type: 'throw', error },
    };
  }
  if ('error' in answer) return { steps, ending: { type: 'throw', error: answer.error } };
  if (answer.hang === true) return { steps, ending: { type: 'hang' } };

  const parts: ModelPart[] = [];
  if (answer.reasoning !== undefined) parts.push({ type: 'reasoning', text: answer.reasoning });
  if (text !== undefined) parts.push({ type: 'text', text });
  if (answer.refusal !== undefined) parts.push({ type: 'refusal', text: answer.refusal });
  parts.push(...calls.map((call) => call.part), ...(answer.parts ?? []));
  steps.push({ type: 'response', response: toResponse(answer, parts) });
  return { steps, ending: { type: 'end' } };
}

function toResponse(answer: ScriptedAnswer, parts: readonly ModelPart[]): ModelResponse {
  const { inputTokens = 10, outputTokens = 5 } = answer.usage ?? {};
  const asksForTools = parts.some((part) => part.type === 'tool-call');
  const refuses = parts.some((part) => part.type === 'refusal');
  return {
    parts,
    usage: { inputTokens, outputTokens, totalTokens: inputTokens + outputTokens, ...answer.usage },
    finishReason:
      answer.finishReason ?? (asksForTools ? 'tool-calls' : refuses ? 'refusal' : 'stop'),
    ...(answer.responseId === undefined ? {} : { responseId: answer.responseId }),
    ...(answer.modelId === undefined ? {} : { modelId: answer.modelId }),
  };
}

function toCall(call: ScriptedCall): {
  readonly toolName: string;
  readonly inputText: string;
  readonly part: ModelPart;
} {
  const { toolName, input, inputText, providerData } = isPair(call)
    ? { toolName: call[0], input: call[1], inputText: undefined, providerData: undefined }
    : call;
  const json: Json = input === undefined ? {} : toJson(input);
  return {
    toolName,
    inputText: inputText ?? JSON.stringify(json),
    part: {
      type: 'tool-call',
      toolName,
      input: inputText === undefined ? json : inputText,
      ...(providerData === undefined ? {} : { providerData }),
    },
  };
}

function isPair(call: ScriptedCall): call is readonly [string, unknown] {
  return Array.isArray(call);
}

function* chunks(text: string | undefined, size: number): Iterable<string> {
  if (text === undefined) return;
  let start = 0;
  while (start < text.length) {
    let end = start + size;
    const last = text.charCodeAt(end - 1);
    if (last >= 0xd800 && last <= 0xdbff) end += 1;
    yield text.slice(start, end);
    start = end;
  }
}

/** Where the steps end after `count` events. */
function endOf(steps: Plan['steps'], count: number): number {
  let left = count;
  let at = 0;
  for (; at < steps.length; at += 1) {
    if (steps[at]?.type !== 'pause' && left-- === 0) break;
  }
  return at;
}
