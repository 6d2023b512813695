import type { RunEventOf } from './events.ts';
import { type FrameState, verdictKey } from './frame.ts';
import type { GuardrailResult } from './guardrail.ts';
import type { Json } from './json.ts';
import type { Message } from './message.ts';
import type { RunState } from './state.ts';

export function applyVerdict(state: RunState, event: RunEventOf<'guardrail-result'>): void {
  const frame = state.frames.get(event.frame);
  if (frame === undefined) return;
  const { on, callId, action, value } = event;
  const result = toVerdict(event);
  (frame.verdicts ??= new Map()).set(verdictKey(frame, event), result);
  if (action === 'tripwire') state.tripped ??= event.name;
  if (action !== 'rewrite' || value === undefined) return;
  if (on === 'input') rewriteRequest(state, frame, value);
  else if (on === 'output') rewriteAnswer(frame, value);
  else if (on === 'tool-input' && callId !== undefined) {
    const call = frame.calls.find((one) => one.callId === callId);
    if (call !== undefined) call.rewritten = value;
  }
}

function toVerdict({ action, value, message }: RunEventOf<'guardrail-result'>): GuardrailResult {
  switch (action) {
    case 'rewrite':
      return { action, value: value ?? null };
    case 'reject':
      return { action, message: message ?? '' };
    case 'tripwire':
      return { action, info: value };
    default:
      return { action };
  }
}

// The request is that text from now on, with its files.
function rewriteRequest(state: RunState, frame: FrameState, value: Json): void {
  const last = frame.request.at(-1);
  if (last === undefined || typeof value !== 'string') return;
  const files = frame.request.flatMap(({ parts }) => parts.filter(({ type }) => type === 'file'));
  const message: Message = { ...last, parts: [{ type: 'text', text: value }, ...files] };
  const { length } = frame.request;
  if (frame.messages.at(-1) === last) frame.messages.splice(-length, length, message);
  if (frame.main) {
    // The request of the conversation, or what a router passed on of it; what a transfer says is no part of it.
    const place = state.newMessages.findLastIndex(
      ({ id, role }) => id === last.id && role === 'user',
    );
    if (place !== -1) state.newMessages.splice(place - length + 1, length, message);
  }
  frame.request = [message];
}

function rewriteAnswer(frame: FrameState, value: Json): void {
  const { last } = frame;
  // With calls, it was somebody else's answer that is passed on.
  if (last === undefined || frame.calls.length > 0) return;
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const rest = last.message.parts.filter(({ type }) => type !== 'text' && type !== 'reasoning');
  const message: Message = { ...last.message, parts: [{ type: 'text', text }, ...rest] };
  const place = frame.messages.lastIndexOf(last.message);
  if (place !== -1) frame.messages[place] = message;
  frame.last = { ...last, message };
}

// What a tool returned to a holder that is gone is gone, and with it what was decided of it.
export function forgetResults(state: RunState): void {
  for (const { verdicts } of state.frames.values()) {
    if (verdicts === undefined) continue;
    for (const key of verdicts.keys()) if (key.startsWith('tool-output ')) verdicts.delete(key);
  }
}

/** Whether input guardrails refused what the conversation asked: of the first agent, or of whom it was routed to. */
export function wasRefused({ frames, end }: RunState): boolean {
  let frame = frames.values().next().value;
  for (;;) {
    for (const [key, { action }] of frame?.verdicts ?? []) {
      if (key.startsWith('input ') && (action === 'reject' || action === 'tripwire')) return true;
    }
    const next: FrameState | undefined = frame?.children?.at(-1);
    if (next === undefined) return end?.error?.code === 'guardrail_error' && frame?.turn === 0;
    if (next.handoff?.primitive !== 'route') return false;
    frame = next;
  }
}
