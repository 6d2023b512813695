import type { RunEvent, RunEventOf } from '../events.ts';

/** Notes a broken rule at an event. */
export type NoteFault = (event: RunEvent, rule: string, message: string) => void;

/** A frame as guardrails, judges and routers see it. */
interface Frame {
  /** It handed over, or it was decided who gets the request. */
  opened: boolean;
  /** Turns answered. */
  turns: number;
  /** The last turn, where it made no call and was not asked again. */
  draft: { readonly held: boolean } | undefined;
  /** An output guardrail refused the draft. */
  refused: boolean;
  /** Drafts that were judged, and whether the best of them is the answer. */
  judged: number;
  chosen: boolean;
}

interface Call {
  starts: number;
  settled: boolean;
  /** A person is, or was, asked about it. */
  asked: boolean;
  /** An input guardrail refused it. */
  refused: boolean;
}

/** What decides about requests, answers and calls, and when: guardrails (I16), reflections (I17), routes (I18). */
export function answerFaults(events: readonly RunEvent[], note: NoteFault): void {
  const frames = new Map<string, Frame>();
  const calls = new Map<string, Call>();
  const verdicts = new Set<string>();
  let tripped = false;
  for (const event of events) {
    const frame = frameOf(frames, event.frame);
    const fault = (rule: string, message: string): void => note(event, rule, message);
    switch (event.type) {
      case 'model-response':
        responseFaults(event, frame, fault);
        if (event.purpose !== 'turn') break;
        for (const part of event.message.parts) {
          if (part.type === 'tool-call') calls.set(keyOf(event.frame, part.callId), newCall());
        }
        break;
      case 'interruption': {
        const call = calls.get(keyOf(event.frame, event.interruption.callId));
        if (call !== undefined) call.asked = true;
        break;
      }
      case 'tool-start': {
        const call = calls.get(keyOf(event.frame, event.callId));
        if (tripped) fault('I16', 'comes after a tripwire');
        if (call === undefined) break;
        if (call.refused) fault('I16', `call ${event.callId} was refused by a guardrail`);
        call.starts += 1;
        break;
      }
      case 'tool-result': {
        const call = calls.get(keyOf(event.frame, event.callId));
        if (call !== undefined) call.settled = true;
        break;
      }
      case 'run-resume':
        // What a tool returned to another process is gone: another result is looked at again.
        for (const key of verdicts) if (key.includes(' tool-output ')) verdicts.delete(key);
        break;
      case 'guardrail-result': {
        const { on, callId, name, action } = event;
        const about = on === 'output' ? frame.turns : (callId ?? '');
        const key = `${event.frame} ${on} ${about} ${name}`;
        if (verdicts.has(key)) fault('I16', `${name} decided twice about ${on} ${about}`);
        verdicts.add(key);
        tripped ||= action === 'tripwire';
        verdictFaults(event, frame, calls.get(keyOf(event.frame, callId)), fault);
        break;
      }
      case 'reflection':
        reflectionFaults(event, frame, fault);
        break;
      case 'route':
        if (frame.turns > 0 || frame.opened) fault('I18', 'the request was passed on before');
        frame.opened = true;
        break;
      case 'handoff':
        frame.opened = true;
        break;
      case 'warning':
        if (event.code === 'invalid-output') frame.draft = undefined;
        break;
      case 'frame-end':
        if (frame.refused && event.output !== undefined) fault('I16', 'a guardrail refused it');
        break;
      case 'run-end':
        if (tripped && event.status === 'completed') fault('I16', 'completed after a tripwire');
        break;
      default:
        break;
    }
  }
}

type Fault = (rule: string, message: string) => void;

function responseFaults(
  { purpose, message, held }: RunEventOf<'model-response'>,
  frame: Frame,
  fault: Fault,
): void {
  if (purpose === 'judge') {
    if (frame.draft === undefined) fault('I17', 'there is no draft to judge');
    return;
  }
  if (purpose !== 'turn') {
    if (frame.turns > 0) fault(purpose === 'route' ? 'I18' : 'I16', 'comes after the first turn');
    return;
  }
  if (frame.chosen && frame.draft !== undefined && !frame.refused) {
    fault('I17', 'the best draft is the answer');
  }
  frame.turns += 1;
  frame.refused = false;
  const asksForTools = message.parts.some(({ type }) => type === 'tool-call');
  frame.draft = asksForTools ? undefined : { held: held === true };
}

function verdictFaults(
  { on, callId, action, value, message }: RunEventOf<'guardrail-result'>,
  frame: Frame,
  call: Call | undefined,
  fault: Fault,
): void {
  if (action === 'rewrite' && value === undefined) fault('I16', 'no value');
  if (action === 'reject' && message === undefined) fault('I16', 'no message');
  switch (on) {
    case 'input':
      if (frame.turns > 0 || frame.opened) fault('I16', 'the request was passed on before');
      break;
    case 'output':
      // An answer that is passed on is another agent's, and none of this one's turns.
      if (frame.draft === undefined && !frame.opened) fault('I16', 'there is no answer');
      if (frame.draft?.held === false) fault('I16', 'the answer was shown before');
      frame.refused ||= action === 'reject';
      break;
    case 'tool-input':
    case 'tool-output':
      if (call === undefined || call.settled) {
        fault('I16', `${callId} is no open call of the frame`);
        break;
      }
      if ((on === 'tool-input') !== (call.starts === 0)) {
        fault('I16', `call ${callId} was started ${call.starts} times`);
      }
      if (on === 'tool-output') break;
      if (call.asked) fault('I16', `a person was asked about call ${callId} before`);
      call.refused ||= action === 'reject';
      break;
    default:
      on satisfies never;
  }
}

function reflectionFaults(
  { iteration, accepted, done, error }: RunEventOf<'reflection'>,
  frame: Frame,
  fault: Fault,
): void {
  if (frame.chosen) fault('I17', 'the best draft is the answer');
  if (iteration !== frame.judged) fault('I17', `iteration ${iteration}, expected ${frame.judged}`);
  // A rewrite that came to nothing leaves none.
  if (frame.draft === undefined && (accepted || error === undefined)) fault('I17', 'no draft');
  frame.judged += 1;
  frame.chosen = done;
  frame.draft = done ? { held: true } : undefined;
}

function keyOf(frame: string, callId: string | undefined): string {
  return `${frame} ${callId ?? ''}`;
}

function newCall(): Call {
  return { starts: 0, settled: false, asked: false, refused: false };
}

function frameOf(frames: Map<string, Frame>, id: string): Frame {
  let frame = frames.get(id);
  if (frame === undefined) {
    frame = {
      opened: false,
      turns: 0,
      draft: undefined,
      refused: false,
      judged: 0,
      chosen: false,
    };
    frames.set(id, frame);
  }
  return frame;
}
