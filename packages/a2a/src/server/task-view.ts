import type { Message, Part, StreamResponse, TaskState } from '@a2a-js/sdk';
import {
  isDurable,
  publicFailure,
  textOf,
  toJson,
  type Decision,
  type Output,
  type RunEvent,
  type RunEventOf,
  type Watched,
} from '@agent-functions/core';
import { askedParts } from './interruptions.ts';
import { dataPart, outputParts, textPart, toParts } from './parts.ts';
import { isTerminal, role, taskState } from './task-state.ts';
import {
  agentMessage,
  artifact,
  artifactUpdate,
  bareMessage,
  statusUpdate,
  type Status,
  type TaskView,
} from './task-wire.ts';

/** Each form of an answer without its question. */
type SaidOf<D> = D extends unknown ? Omit<D, 'interruptionId'> : never;

/** What an event makes of a task, and what a client that follows it is told. */
export interface Seen {
  readonly view: TaskView;
  readonly updates: readonly StreamResponse[];
}

/** The task of a journal. `undefined` without `run-start`. */
export function viewOf(events: readonly RunEvent[]): TaskView | undefined {
  let view: TaskView | undefined;
  for (const event of events) {
    if (view !== undefined) view = next(view, event).view;
    else if (event.type === 'run-start') view = begun(event);
  }
  return view;
}

/** The task of a run that has begun. */
export function begun(event: RunEventOf<'run-start'>): TaskView {
  const { runId, sessionId = runId } = event;
  return {
    taskId: runId,
    contextId: sessionId,
    agent: event.entryAgent ?? event.agent,
    seq: event.seq,
    status: { state: taskState.submitted, at: event.at },
    history: event.input.map((message) => ({
      ...bareMessage,
      messageId: message.id,
      taskId: runId,
      contextId: sessionId,
      role: message.role === 'assistant' ? role.agent : role.user,
      parts: toParts(message.parts),
    })),
    artifacts: [],
    open: [],
    speaking: new Set([event.frame]),
    shown: '',
    epoch: undefined,
    turnedAway: false,
  };
}

/**
 * The one mapping of journals to tasks. Durable events alone make the task that everybody sees; deltas between them make
 * artifact updates, and what they showed is completed or replaced by what was recorded.
 */
export function next(view: TaskView, event: Watched): Seen {
  if (!isDurable(event)) {
    const started = working(view, view.status.at);
    const seen = isSpoken(view, event.frame) ? spoken(started.view, event) : same(started.view);
    return joined(started, seen);
  }
  const at = { ...view, seq: event.seq };
  switch (event.type) {
    case 'run-start':
      return same(at);
    case 'run-pause':
      return paused(at, event);
    case 'run-end':
      return ended(at, event);
    case 'decision':
      return answered(at, event);
    case 'interruption':
      return same({ ...at, open: [...at.open, event.interruption] });
    default: {
      const started = working(at, event.at);
      return joined(started, worked(started.view, event));
    }
  }
}

function worked(view: TaskView, event: RunEvent): Seen {
  switch (event.type) {
    case 'run-resume':
      return withdrawn(view);
    case 'handoff': {
      const joins = event.primitive === 'transfer' || event.primitive === 'route';
      return same(
        joins && isSpoken(view, event.frame)
          ? { ...view, speaking: new Set([...view.speaking, event.childFrame]) }
          : view,
      );
    }
    case 'guardrail-result':
      return same(
        event.on === 'input' && event.action !== 'allow' && event.action !== 'rewrite'
          ? { ...view, turnedAway: true }
          : view,
      );
    case 'model-response':
      return event.purpose === 'turn' && isSpoken(view, event.frame)
        ? responded(view, event)
        : same(view);
    default:
      return same(view);
  }
}

/** Text as it comes, and text that does not count any more. */
function spoken(view: TaskView, event: Exclude<Watched, RunEvent>): Seen {
  if (event.type === 'void') return withdrawn(view);
  if (event.type !== 'text-delta' || event.delta === '') return same(view);
  const goesOn = view.shown !== '' && view.epoch === event.epoch;
  return {
    view: {
      ...view,
      shown: goesOn ? view.shown + event.delta : event.delta,
      epoch: event.epoch,
    },
    updates: [artifactUpdate(view, [textPart(event.delta)], { append: goesOn, lastChunk: false })],
  };
}

/** What the model wrote is recorded: it is what was shown, or takes its place. */
function responded(view: TaskView, event: RunEventOf<'model-response'>): Seen {
  const { message } = event;
  const text = event.held === true ? '' : textOf(message);
  if (event.held !== true && message.parts.every(({ type }) => type !== 'tool-call')) {
    return view.shown === '' ? same(view) : settled(view, text);
  }
  // What is said beside calls is about the work: a message, and no part of the answer.
  const without = withdrawn(view);
  if (text === '') return without;
  const note = agentMessage(view, message.id, [textPart(text)]);
  const status = { state: taskState.working, at: event.at, message: note };
  return joined(without, {
    view: { ...without.view, status, history: [...view.history, note] },
    updates: [statusUpdate(view, status)],
  });
}

/** Shows the rest of a text, or the whole one in the place of another. */
function settled(view: TaskView, text: string): Seen {
  const rest = text.startsWith(view.shown) ? text.slice(view.shown.length) : undefined;
  const seen = { ...view, shown: text, epoch: undefined };
  if (rest === '') return same(seen);
  const parts = [textPart(rest ?? text)];
  const options = { append: rest !== undefined, lastChunk: false };
  return { view: seen, updates: [artifactUpdate(view, parts, options)] };
}

/** Takes back what was shown of an answer. */
function withdrawn(view: TaskView): Seen {
  if (view.shown === '') return same({ ...view, epoch: undefined });
  return {
    view: { ...view, shown: '', epoch: undefined },
    updates: [artifactUpdate(view, [textPart('')], { append: false, lastChunk: false })],
  };
}

function paused(view: TaskView, event: RunEventOf<'run-pause'>): Seen {
  const message = agentMessage(view, `${view.taskId}.${event.seq}`, askedParts(view.open));
  return moved(view, { state: taskState.inputRequired, at: event.at, message });
}

/** The question and its answer become part of the history. */
function answered(view: TaskView, event: RunEventOf<'decision'>): Seen {
  const { interruptionId, ...said } = event.decision;
  const asked = view.status.state === taskState.inputRequired ? view.status.message : undefined;
  const reply: Message = {
    ...agentMessage(view, `${view.taskId}.${event.seq}`, decisionParts(interruptionId, said)),
    role: role.user,
  };
  const history = [...view.history, ...(asked === undefined ? [] : [asked]), reply];
  const open = view.open.filter(({ id }) => id !== interruptionId);
  return working({ ...view, history, open }, event.at);
}

function decisionParts(interruptionId: string, said: SaidOf<Decision>): Part[] {
  if ('answer' in said && typeof said.answer === 'string') return [textPart(said.answer)];
  return [dataPart(toJson({ decisions: [{ interruption_id: interruptionId, ...said }] }))];
}

function ended(view: TaskView, event: RunEventOf<'run-end'>): Seen {
  const { at } = event;
  if (event.status === 'completed') {
    const delivered = answer(view, event.output, event.response ?? '');
    return joined(delivered, moved(delivered.view, { state: taskState.completed, at }));
  }
  const without = withdrawn(view);
  const state = stateOf(view, event);
  const parts = endParts(event);
  const message =
    parts.length === 0 ? undefined : agentMessage(view, `${view.taskId}.${event.seq}`, parts);
  return joined(without, moved({ ...without.view, open: [] }, { state, at, message }));
}

function stateOf(view: TaskView, event: RunEventOf<'run-end'>): TaskState {
  if (event.status === 'cancelled') return taskState.canceled;
  const isTurnedAway = view.turnedAway && event.error?.code.startsWith('guardrail_') === true;
  return isTurnedAway ? taskState.rejected : taskState.failed;
}

function endParts({ status, error, stopReason }: RunEventOf<'run-end'>): Part[] {
  if (status === 'stopped') {
    return [
      textPart(`The agent stopped at a limit (${stopReason ?? 'unknown'}).`),
      dataPart({ stop_reason: stopReason ?? null }),
    ];
  }
  if (error === undefined) return [];
  const shown = publicFailure(error);
  const text = typeof shown['message'] === 'string' ? shown['message'] : 'The task failed.';
  return [textPart(text), dataPart({ error: shown })];
}

/** The answer as the artifact that stays. */
function answer(view: TaskView, output: Output | undefined, response: string): Seen {
  const parts =
    output === undefined ? outputParts({ type: 'json', value: response }) : outputParts(output);
  const [only] = parts;
  const text =
    parts.length === 1 && only?.content?.$case === 'text' ? only.content.value : undefined;
  const artifacts = parts.length === 0 ? [] : [artifact(parts)];
  const isShown = text !== undefined && text !== '' && text === view.shown;
  const last = isShown
    ? artifactUpdate(view, [textPart('')], { append: true, lastChunk: true })
    : artifactUpdate(view, parts, { append: false, lastChunk: true });
  const done = { ...view, artifacts, shown: '', epoch: undefined };
  return parts.length === 0 ? withdrawn(done) : { view: done, updates: [last] };
}

/** The first sign of work on a task that was only taken in, or that waited. */
function working(view: TaskView, at: number): Seen {
  const { state } = view.status;
  if (state !== taskState.submitted && state !== taskState.inputRequired) return same(view);
  return moved(view, { state: taskState.working, at });
}

function moved(view: TaskView, status: Status): Seen {
  return { view: { ...view, status }, updates: [statusUpdate(view, status)] };
}

function same(view: TaskView): Seen {
  return { view, updates: [] };
}

function joined(first: Seen, second: Seen): Seen {
  return { view: second.view, updates: [...first.updates, ...second.updates] };
}

function isSpoken(view: TaskView, frame: string): boolean {
  return view.speaking.has(frame);
}

/** Whether nothing comes any more. */
export function isOver(view: TaskView): boolean {
  return isTerminal(view.status.state);
}
