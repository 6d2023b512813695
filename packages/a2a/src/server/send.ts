import type { Message, SendMessageRequest } from '@a2a-js/sdk';
import {
  AgentError,
  canonicalJson,
  sha256Hex,
  toJson,
  type Json,
  type JsonObject,
  type ProtocolRunOptions,
  type Watched,
} from '@agent-functions/core';
import { viewOfRun, visibleTask } from './access.ts';
import { decisionsOf } from './interruptions.ts';
import { fromParts } from './parts.ts';
import { noSuchTask, Refused } from './refused.ts';
import { startRun, takeUp, type Mode } from './run-task.ts';
import type { Call } from './scope.ts';
import { role, taskState } from './task-state.ts';
import { isOver } from './task-view.ts';
import type { TaskView } from './task-wire.ts';

/** A task after a message came in: as it was when the message was taken, so that what follows is all of it. */
export interface Taken {
  readonly view: TaskView;
  /** Of a run that was started here for a stream. */
  readonly events?: AsyncIterator<Watched> | undefined;
  /** Nothing comes of the message: it was taken before, and the task asks something else by now. */
  readonly repeated?: true | undefined;
  /** The request is over. */
  leave(): void;
}

const longestId = 255;
/** Without a principal an id is all that protects a task or a conversation. */
const shortestOfAnybody = 32;

/**
 * Takes a message: it begins a task, or answers one that waits. The same message again, by its id, finds its task.
 *
 * @throws Refused for what is malformed, a stranger's task, a task that takes no message.
 */
export async function take(call: Call, request: SendMessageRequest, mode: Mode): Promise<Taken> {
  const message = checkedMessage(request);
  return message.taskId === '' ? begin(call, request, message, mode) : goOn(call, message);
}

function checkedMessage({ message, configuration }: SendMessageRequest): Message {
  if (message === undefined) throw malformed('message is missing.');
  if (message.messageId === '') throw malformed('message.messageId is missing. Send a random one.');
  for (const [name, id] of Object.entries({
    messageId: message.messageId,
    contextId: message.contextId,
  })) {
    if (id.length > longestId) {
      throw malformed(
        `message.${name} has ${id.length} characters; at most ${longestId} are taken.`,
      );
    }
  }
  if (message.role !== role.user) {
    throw malformed('message.role must be ROLE_USER: what the agent says is its own.');
  }
  if (message.parts.length === 0)
    throw malformed('message.parts is empty. Send at least one part.');
  checkHistoryLength(configuration?.historyLength);
  return message;
}

/** @throws Refused for a length that is no count. */
export function checkHistoryLength(length: number | undefined): void {
  if (length === undefined || (Number.isInteger(length) && length >= 0)) return;
  throw malformed(`historyLength is ${length}; it must be a whole number of at least 0.`);
}

async function begin(
  call: Call,
  { metadata }: SendMessageRequest,
  message: Message,
  mode: Mode,
): Promise<Taken> {
  const { scope, context } = call;
  const { principal } = context;
  const parts = fromParts(message.parts, (type) => scope.accepts(type));
  const isKeyed = principal !== undefined || message.messageId.length >= shortestOfAnybody;
  const hash = (what: string): Promise<string> =>
    sha256Hex(
      canonicalJson([what, principal?.id ?? null, scope.agent.name, message.messageId]),
      128,
    );
  const sessionId =
    message.contextId === ''
      ? isKeyed
        ? await hash('a2a-context')
        : newContextId()
      : await checkedContext(call, message.contextId);
  const options: ProtocolRunOptions = {
    sessionId,
    principal,
    ...(context.traceparent === undefined ? {} : { traceparent: context.traceparent }),
    ...(isKeyed ? { idempotencyKey: `a2a:${await hash('a2a-message')}` } : {}),
  };
  const input = {
    messages: [{ id: message.messageId, role: 'user' as const, parts }],
    context: contextOf(metadata, message.metadata),
  };
  const { header, ...started } = await startRun(call, input, options, mode).catch(
    (error: unknown) => {
      throw toRefusal(error, message.contextId);
    },
  );
  // The first event alone: what follows it, however soon it came, is shown as it came.
  const view = await viewOfRun(scope, header.runId, 1);
  if (view === undefined) throw noSuchTask(header.runId);
  return { view, ...started };
}

/**
 * A conversation id that a caller chose. Without a principal it must be one that was given out, or too long to guess, or
 * the app allows any.
 */
async function checkedContext({ scope, context }: Call, contextId: string): Promise<string> {
  if (context.principal !== undefined) return contextId;
  const { store, allowClientSessionIds } = scope.host;
  const { version, owner } = await store.sessions.load(contextId);
  const mayBegin = allowClientSessionIds || contextId.length >= shortestOfAnybody;
  if (owner === undefined && (version !== '0' || mayBegin)) return contextId;
  throw malformed(
    `The contextId is unknown. Leave it out to begin a conversation and send back the one of the answer, or choose a random one of at least ${shortestOfAnybody} characters.`,
  );
}

/** What callers send beside the message is given to instructions and tools. */
function contextOf(...metadata: readonly (object | undefined)[]): JsonObject {
  const merged: Record<string, Json> = {};
  for (const each of metadata) {
    for (const [key, value] of Object.entries(each ?? {})) merged[key] = toJson(value);
  }
  return merged;
}

/** Answers what a task asks. */
async function goOn(call: Call, message: Message): Promise<Taken> {
  const { scope, context } = call;
  const view = await visibleTask(call, message.taskId);
  const taken: Taken = { view, leave: () => undefined };
  if (message.contextId !== '' && message.contextId !== view.contextId) {
    throw malformed('message.contextId is not the context of message.taskId. Leave it out.');
  }
  if (isOver(view)) {
    throw new Refused(
      'UnsupportedOperation',
      'The task has ended and takes no further message. Send one with its contextId and without taskId to begin another task.',
      { taskId: view.taskId },
    );
  }
  if (view.status.state !== taskState.inputRequired || view.open.length === 0) {
    if (isRepeated(view, message)) return taken;
    throw new Refused(
      'UnsupportedOperation',
      'The task is at work and asks for nothing. Subscribe to it, or cancel it.',
      { taskId: view.taskId },
    );
  }
  const decisions = decisionsOf(message.parts, view.open);
  const id = `a2a:${await sha256Hex(canonicalJson([message.messageId]), 128)}`;
  const by = context.principal?.id;
  const posted = await scope.runner
    .post(view.taskId, { id, type: 'decide', decisions, ...(by === undefined ? {} : { by }) })
    .catch((error: unknown) => {
      throw toRefusal(error, message.contextId);
    });
  if (!posted.accepted) {
    throw new Refused(
      'UnsupportedOperation',
      'What the task asked was answered before, or the time for an answer is over. Get the task to see how it stands.',
      { taskId: view.taskId },
    );
  }
  if (await wasTaken(call, view, id)) return { ...taken, repeated: true };
  await takeUp(call, view.taskId);
  return taken;
}

/** Whether a signal that was accepted had been recorded before: it neither waits nor changed anything. */
async function wasTaken({ scope }: Call, view: TaskView, signalId: string): Promise<boolean> {
  const { runs } = scope.host.store;
  if ((await runs.inbox(view.taskId)).some(({ id }) => id === signalId)) return false;
  return (await runs.peek(view.taskId))?.seq === view.seq;
}

/** An answer that came again while the task works on with it. */
function isRepeated(view: TaskView, { parts }: Message): boolean {
  const last = view.history.findLast((each) => each.role === role.user);
  return last !== undefined && contents(last) === contents({ parts });
}

function contents({ parts }: Pick<Message, 'parts'>): string {
  return canonicalJson(toJson(parts.map(({ content }) => content?.value ?? null)));
}

function toRefusal(error: unknown, contextId: string): unknown {
  if (!AgentError.isInstance(error)) return error;
  switch (error.code) {
    case 'user_error':
    case 'approval_invalid':
    case 'idempotency_mismatch':
      return malformed(
        error.code === 'idempotency_mismatch'
          ? 'The messageId was used before, for another message. Send a random one with each message.'
          : error.message,
      );
    case 'not_found':
      return malformed('The contextId is unknown, or it is not yours.');
    case 'session_busy':
      return new Refused(
        'UnsupportedOperation',
        'Another task of this context is at work or waits. Answer or cancel it, or begin another context.',
        { contextId },
      );
    case 'session_closed':
      return new Refused(
        'UnsupportedOperation',
        'The conversation of this context is closed. Leave contextId out to begin another.',
        { contextId },
      );
    default:
      return error;
  }
}

function newContextId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(20));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function malformed(message: string): Refused {
  return new Refused('RequestMalformed', message);
}
