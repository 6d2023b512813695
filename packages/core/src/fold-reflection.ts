import type { RunEventOf } from './events.ts';
import { type FrameState, answerer, bestDraft } from './frame.ts';
import { textOf, type Message } from './message.ts';
import type { RunState } from './state.ts';

export function applyReflection(state: RunState, event: RunEventOf<'reflection'>): void {
  const frame = state.frames.get(event.frame);
  if (frame === undefined) return;
  const { v: _v, seq: _seq, at: _at, runId, frame: _frame, agent: _agent, ...step } = event;
  const { type: _type, done, ...draft } = step;
  const reflection = (frame.reflection ??= { history: [], best: undefined, done: false });
  reflection.history.push(draft);
  const { last } = frame;
  if (event.accepted && last !== undefined) reflection.best = { ...last, score: event.score };
  else if (last !== undefined) {
    // A worse draft is forgotten: the next one improves the best.
    const place = frame.messages.lastIndexOf(last.message);
    if (place !== -1) frame.messages.splice(place, 1);
  }
  frame.outputRetries = 0;
  if (done) {
    reflection.done = true;
    frame.last = reflection.best;
    frame.calls = [];
    return;
  }
  const feedback: Message = {
    id: `${frame.id}.t${frame.turn}.f`,
    runId,
    role: 'user',
    parts: [{ type: 'text', text: feedbackText(event) }],
  };
  putAside(frame, feedback);
  frame.messages.push(feedback);
  frame.last = undefined;
}

// The draft and what was said of it.
export function putAside(frame: FrameState, said: Message): void {
  frame.aside ??= new Set();
  frame.aside.add(said);
  if (frame.last !== undefined) frame.aside.add(frame.last.message);
}

// A run that ended while its answer was improved answered with a draft: then the draft is part of the conversation.
export function keepDraft(state: RunState, { status, response = '' }: RunEventOf<'run-end'>): void {
  const [root] = state.frames.values();
  if (status === 'completed' || root === undefined) return;
  const frame = answerer(root);
  const draft = frame.main && frame.held && !frame.ended ? bestDraft(frame) : undefined;
  if (draft === undefined || response === '' || textOf(draft.message) !== response) return;
  state.newMessages.push(draft.message);
}

function feedbackText({ accepted, score, feedback = '', error }: RunEventOf<'reflection'>): string {
  const scored = score === undefined ? '' : ` (score ${score.toFixed(2)} of 1)`;
  return accepted
    ? `Improve your answer${scored}. ${feedback}\n\nAnswer again in full: the new answer replaces the old one.`
    : `Your rewrite was ${error === undefined ? `no better${scored}` : 'no answer'} and is dropped. ${feedback}\n\nImprove the answer before it, in full.`;
}
