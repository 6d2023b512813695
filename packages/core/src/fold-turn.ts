import type { RunEventOf } from './events.ts';
import { putAside } from './fold-reflection.ts';
import { type FrameState, resultsMessage, inputOf } from './frame.ts';
import { toJson } from './json.ts';
import type { Message, ToolCallPart } from './message.ts';
import type { RunState } from './state.ts';

export function applyResponse(state: RunState, event: RunEventOf<'model-response'>): void {
  const { usage } = event;
  state.perRequest.push({
    provider: event.provider,
    modelId: event.modelId,
    agent: event.agent,
    ...usage,
  });
  state.inputTokens += usage.inputTokens;
  state.outputTokens += usage.outputTokens;
  state.costUsd += usage.costUsd ?? 0;
  const frame = state.frames.get(event.frame);
  if (event.purpose !== 'turn' || frame === undefined) return;
  frame.turn += 1;
  frame.messages.push(event.message);
  // What is held may never be shown: an answer waits for the end of its frame, and with calls only these count.
  if (frame.main && event.held !== true) state.newMessages.push(event.message);
  frame.last = { message: event.message, finishReason: event.finishReason };
  frame.held = event.held === true;
  const parts = event.message.parts.filter(
    (part): part is ToolCallPart => part.type === 'tool-call',
  );
  frame.calls = parts.map(({ callId, toolName, input }) => ({
    callId,
    toolName,
    input,
    settled: false,
  }));
  frame.results = [];
  if (parts.length === 0) return;
  frame.outputRetries = 0;
  if (frame.main && event.held === true) state.newMessages.push({ ...event.message, parts });
}

export function applyResult(state: RunState, event: RunEventOf<'tool-result'>): void {
  const frame = state.frames.get(event.frame);
  const index = frame?.calls.findIndex((one) => one.callId === event.callId) ?? -1;
  const call = frame?.calls[index];
  if (frame === undefined || call === undefined) return;
  call.settled = true;
  if (event.how === 'ran' || call.child?.handoff?.primitive === 'call') frame.worked = true;
  const { callId, toolName } = event;
  frame.results[index] = {
    type: 'tool-result',
    callId,
    toolName,
    output: event.modelOutput ?? event.output,
    ...(event.isError ? { isError: true } : {}),
  };
  // In the order of the calls, whichever settled first.
  let place = state.toolResults.length;
  while (place > 0 && comesAfter(frame, state.toolResults[place - 1]?.callId, index)) place -= 1;
  state.toolResults.splice(place, 0, {
    callId,
    tool: toolName,
    arguments: call.start?.input ?? call.child?.handoff?.input ?? inputOf(call),
    result: event.output.type === 'json' ? event.output.value : toJson(event.output.parts),
    isError: event.isError,
  });
  if (frame.calls.every((one) => one.settled)) {
    const message = resultsMessage(state.runId, frame, frame.results);
    frame.messages.push(message);
    if (frame.main) state.newMessages.push(message);
  }
}

function comesAfter(frame: FrameState, callId: string | undefined, index: number): boolean {
  return frame.calls.findIndex((call) => call.callId === callId) > index;
}

export function applyMisfit(state: RunState, event: RunEventOf<'warning'>): void {
  const frame = state.frames.get(event.frame);
  if (frame === undefined) return;
  frame.outputRetries += 1;
  const message: Message = {
    id: `${frame.id}.t${frame.turn}.v`,
    runId: state.runId,
    role: 'user',
    parts: [{ type: 'text', text: event.message }],
  };
  frame.messages.push(message);
  if (frame.held) putAside(frame, message);
  frame.last = undefined;
  if (frame.main && !frame.held) state.newMessages.push(message);
}
