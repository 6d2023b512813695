import { isJsonObject, toJson, type Json, type JsonObject, type Part } from '@agent-functions/core';
import { isRecord, recordOf, recordsOf } from '@agent-functions/core/provider';
import type { Artifact, Message as RemoteMessage, Part as RemotePart, Task } from '@a2a-js/sdk';
import { TooLargeError } from './errors.ts';
import { filesOf, onlyData, readParts, textOfPart } from './parts.ts';

/** How far a task is (specification 1.0, 4.1.3). */
export type RemoteState =
  | 'submitted'
  | 'working'
  | 'completed'
  | 'failed'
  | 'canceled'
  | 'input-required'
  | 'rejected'
  | 'auth-required'
  | 'unknown';

const states: readonly RemoteState[] = [
  'unknown',
  'submitted',
  'working',
  'completed',
  'failed',
  'canceled',
  'input-required',
  'rejected',
  'auth-required',
];

/** What a remote agent wants to know before it goes on. */
export interface RemoteQuestion {
  /** Tells one question of a task from the next. */
  readonly key: string;
  readonly message: string;
  /** What came with it as data. */
  readonly data?: Json | undefined;
}

/**
 * What is recorded of a message that was sent: the task that it began, and how far that is. JSON, so that another process
 * goes on with the same task.
 */
export interface RemoteTurn {
  readonly state: RemoteState;
  readonly taskId?: string | undefined;
  readonly contextId?: string | undefined;
  /** Of `completed`. */
  readonly answer?: readonly Part[] | undefined;
  /** Of `input-required` and `auth-required`. */
  readonly question?: RemoteQuestion | undefined;
  /** Of `failed`, `canceled` and `rejected`: what the agent says. */
  readonly reason?: string | undefined;
  /** The question that was answered before. */
  readonly answered?: string | undefined;
}

/** How answers are read. */
export interface ReadAnswer {
  /** An answer in JSON is wanted: data alone, where there is some. */
  readonly json: boolean;
  readonly maxBytes: number;
}

export function stateOf({ status }: Pick<Task, 'status'>): RemoteState {
  return states[status?.state ?? 0] ?? 'unknown';
}

/** Whether nothing more comes of the task by itself. */
export function isStopped(state: RemoteState): boolean {
  return isEnded(state) || state === 'input-required' || state === 'auth-required';
}

/** Whether the task takes no more messages. */
export function isEnded(state: RemoteState): boolean {
  return (
    state === 'completed' || state === 'failed' || state === 'canceled' || state === 'rejected'
  );
}

/** A task as it stands. @throws TooLargeError for an answer above the limit. */
export function turnOfTask(task: Task, read: ReadAnswer): RemoteTurn {
  const state = stateOf(task);
  const { message } = task.status ?? {};
  const said = message?.parts ?? [];
  const about = { state, taskId: task.id, contextId: task.contextId };
  switch (state) {
    case 'completed': {
      const parts = task.artifacts.some((one) => one.parts.length > 0);
      return { ...about, answer: answerOf(parts ? task.artifacts : [{ parts: said }], read) };
    }
    case 'input-required':
    case 'auth-required':
      return { ...about, question: questionOf(task, said) };
    case 'failed':
    case 'canceled':
    case 'rejected':
      return { ...about, reason: clipped(textIn(said) || said.map(textOfPart).join('')) };
    default:
      return about;
  }
}

/** An agent that answers without a task. @throws TooLargeError for an answer above the limit. */
export function turnOfMessage(message: RemoteMessage, read: ReadAnswer): RemoteTurn {
  return {
    state: 'completed',
    ...(message.contextId === '' ? {} : { contextId: message.contextId }),
    answer: answerOf([message], read),
  };
}

/** The text of artifacts: chunks of one belong together, artifacts are paragraphs. */
export function textOfArtifacts(artifacts: readonly Pick<Artifact, 'parts'>[]): string {
  return artifacts
    .map(({ parts }) => parts.map(textOfPart).join(''))
    .filter((text) => text !== '')
    .join('\n\n');
}

function answerOf(
  artifacts: readonly Pick<Artifact, 'parts'>[],
  { json, maxBytes }: ReadAnswer,
): readonly Part[] {
  const parts = artifacts.flatMap((one) => one.parts);
  const data = json ? onlyData(parts) : undefined;
  const text = data === undefined ? textOfArtifacts(artifacts) : JSON.stringify(data);
  const answer = [...(text === '' ? [] : [{ type: 'text' as const, text }]), ...filesOf(parts)];
  if (sizeOf(answer) > maxBytes) throw new TooLargeError(maxBytes);
  return answer;
}

function sizeOf(parts: readonly Part[]): number {
  return Buffer.byteLength(JSON.stringify(parts));
}

function questionOf({ status }: Task, said: readonly RemotePart[]): RemoteQuestion {
  const data = onlyData(said);
  return {
    key: `${status?.message?.messageId ?? ''} ${status?.timestamp ?? ''}`,
    message: clipped(textIn(said)),
    ...(data === undefined ? {} : { data }),
  };
}

/** The texts among parts, each in lines of its own. */
function textIn(parts: readonly RemotePart[]): string {
  return parts
    .flatMap(({ content }) => (content?.$case === 'text' ? [content.value.toWellFormed()] : []))
    .join('\n');
}

/** What a remote agent says to people, so much that it can be shown. */
function clipped(text: string): string {
  return text.slice(0, 4_000).toWellFormed();
}

/** A turn as it was recorded. */
export function readTurn(json: Json): RemoteTurn {
  if (!isJsonObject(json)) return { state: 'unknown' };
  const { taskId, contextId, answer, question, reason, answered } = json;
  return {
    state: states.find((one) => one === json['state']) ?? 'unknown',
    ...(typeof taskId === 'string' ? { taskId } : {}),
    ...(typeof contextId === 'string' ? { contextId } : {}),
    ...(answer === undefined ? {} : { answer: readParts(answer) }),
    ...(isJsonObject(question) ? { question: readQuestion(question) } : {}),
    ...(typeof reason === 'string' ? { reason } : {}),
    ...(typeof answered === 'string' ? { answered } : {}),
  };
}

export function readQuestion({ key, message, data }: JsonObject): RemoteQuestion {
  return {
    key: typeof key === 'string' ? key : '',
    message: typeof message === 'string' ? message : '',
    ...(data === undefined ? {} : { data }),
  };
}

/**
 * The JSON Schema of an answer, where the agent sent one with its question: as `schema`, or with the one interruption that
 * an agent of this library waits for (an approval is answered by `{ approved: true }`, a question by its answer alone).
 */
export function answerSchemaOf({ data }: RemoteQuestion): JsonObject | undefined {
  const { schema, interruptions } = recordOf(data);
  const [only, ...others] = recordsOf(interruptions);
  const said = only === undefined || others.length > 0 ? schema : only['schema'];
  const whole = recordOf(said);
  const answer = recordOf(whole['properties'])['answer'];
  const wanted = toJson(only?.['kind'] === 'input' && isRecord(answer) ? answer : said);
  return isJsonObject(wanted) && Object.keys(wanted).length > 0 ? wanted : undefined;
}
