import type { RunEventOf } from './events.ts';
import { type FrameState, newFrame, answerer, answersNote } from './frame.ts';
import { outputText } from './message.ts';
import { type RunState, callOf } from './state.ts';

export function applyHandoff(state: RunState, event: RunEventOf<'handoff'>): void {
  const parent = state.frames.get(event.frame);
  if (parent === undefined) return;
  const { primitive, callId } = event;
  const child = newFrame(event.childFrame, event.to, {
    parent,
    handoff: event,
    context: event.context,
    request: event.messages.slice(event.messages.length - event.asked),
    messages: event.messages.slice(),
    main: parent.main && (primitive === 'transfer' || primitive === 'route'),
  });
  state.frames.set(child.id, child);
  (parent.children ??= []).push(child);
  parent.routed = true;
  const call = callId === undefined ? undefined : callOf(state, event.frame, callId);
  if (call !== undefined) call.child = child;
  state.handoffPath.push(event.to);
  state.hops.push({
    from: event.agent,
    to: event.to,
    primitive,
    ...(event.reason === undefined ? {} : { reason: event.reason }),
  });
}

export function applyFrameEnd(state: RunState, event: RunEventOf<'frame-end'>): void {
  const frame = state.frames.get(event.frame);
  if (frame === undefined) return;
  frame.ended = true;
  frame.output = event.output;
  frame.error = event.error;
  const { parent, handoff } = frame;
  if (parent !== undefined) parent.worked = true;
  if (parent !== undefined && handoff?.primitive === 'call' && handoff.callId === undefined) {
    tellAnswers(state, parent);
  }
  if (!frame.main || event.output === undefined) return;
  const by = answerer(frame);
  if (by === frame && frame.held && frame.last !== undefined) {
    // What it thought was not looked at.
    const { message } = frame.last;
    const parts = message.parts.filter(({ type }) => type !== 'reasoning');
    state.newMessages.push({ ...message, parts });
  }
  if (by.main) return;
  // Somebody answered whose messages are not the conversation: the answer is.
  state.newMessages.push({
    id: `${frame.id}.answer`,
    runId: state.runId,
    role: 'assistant',
    parts:
      event.output.type === 'content'
        ? event.output.parts
        : [{ type: 'text', text: outputText(event.output) }],
    agent: by.agent,
  });
}

// The agents that were asked before the first turn have all answered: the one that asked reads it.
function tellAnswers(state: RunState, frame: FrameState): void {
  const asked = (frame.children ?? []).filter(
    ({ handoff }) => handoff?.primitive === 'call' && handoff.callId === undefined,
  );
  if (asked.some(({ ended }) => !ended)) return;
  frame.messages.push(answersNote(`${frame.id}.a`, state.runId, asked));
}
