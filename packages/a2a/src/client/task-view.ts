import type { Artifact, StreamResponse, Task } from '@a2a-js/sdk';
import { TooLargeError } from './errors.ts';
import { textOfPart } from './parts.ts';
import {
  isStopped,
  stateOf,
  textOfArtifacts,
  turnOfMessage,
  turnOfTask,
  type ReadAnswer,
  type RemoteTurn,
} from './turn.ts';

/** What an update adds to what watchers see. */
export interface Shown {
  /** Of the answer. */
  readonly text: string;
  /** What the agent says of its work. */
  readonly note: string;
}

/** One task as its updates tell it. */
export class TaskView {
  /** Whether the last whole task was followed by nothing that had to be put together. */
  exact = false;
  readonly #read: ReadAnswer;
  #task: Task | undefined;
  #message: RemoteTurn | undefined;
  /** The text of the artifacts so far. */
  #text = '';
  /** How much of it was shown; nothing more is once it changed behind that. */
  #shown = '';
  #diverged = false;
  #note = '';

  constructor(read: ReadAnswer) {
    this.#read = read;
  }

  /** Takes an update of the stream. @throws TooLargeError for an answer above the limit. */
  take({ payload }: StreamResponse): Shown {
    switch (payload?.$case) {
      case 'task':
        return this.takeTask(payload.value);
      case 'message':
        this.#message = turnOfMessage(payload.value, this.#read);
        return nothing;
      case 'statusUpdate': {
        const { taskId, contextId, status } = payload.value;
        const task = this.#of(taskId, contextId);
        task.status = status;
        return { text: '', note: this.#newNote(task) };
      }
      case 'artifactUpdate': {
        const { taskId, contextId, artifact, append } = payload.value;
        const task = this.#of(taskId, contextId);
        if (artifact !== undefined) this.#takeArtifact(task, artifact, append);
        return { text: this.#unshown(), note: '' };
      }
      default:
        return nothing;
    }
  }

  /** Takes the whole task. @throws TooLargeError for an answer above the limit. */
  takeTask(task: Task): Shown {
    this.#task = { ...task, artifacts: task.artifacts.map(copied) };
    this.exact = true;
    this.#setText(textOfArtifacts(this.#task.artifacts));
    return { text: this.#unshown(), note: this.#newNote(task) };
  }

  /** Where it stands, when nothing more comes by itself; a question that was answered is none. */
  stopped(answered: string | undefined): RemoteTurn | undefined {
    if (this.#message !== undefined) return this.#message;
    if (this.#task === undefined || !isStopped(stateOf(this.#task))) return undefined;
    const turn = turnOfTask(this.#task, this.#read);
    return answered !== undefined && turn.question?.key === answered ? undefined : turn;
  }

  #of(taskId: string, contextId: string): Task {
    this.#task ??= {
      id: taskId,
      contextId,
      status: undefined,
      artifacts: [],
      history: [],
      metadata: undefined,
    };
    return this.#task;
  }

  #takeArtifact({ artifacts }: Task, artifact: Artifact, append: boolean): void {
    this.exact = false;
    const index = artifacts.findIndex(({ artifactId }) => artifactId === artifact.artifactId);
    const known = artifacts[index];
    if (known === undefined || !append) {
      if (known === undefined) artifacts.push(copied(artifact));
      else artifacts[index] = copied(artifact);
      this.#setText(textOfArtifacts(artifacts));
      return;
    }
    const begun = known.parts.some((part) => textOfPart(part) !== '');
    known.parts.push(...artifact.parts);
    // What is appended to the last one is appended to the text.
    if (begun && index === artifacts.length - 1) {
      this.#setText(this.#text + artifact.parts.map(textOfPart).join(''));
    } else this.#setText(textOfArtifacts(artifacts));
  }

  #setText(text: string): void {
    if (text.length > this.#read.maxBytes) throw new TooLargeError(this.#read.maxBytes);
    this.#text = text;
  }

  // What was read later may be behind what was told before: then there is nothing to show.
  #unshown(): string {
    if (this.#diverged || this.#text.length <= this.#shown.length) return '';
    if (!this.#text.startsWith(this.#shown)) {
      this.#diverged = true;
      return '';
    }
    const text = this.#text.slice(this.#shown.length);
    this.#shown = this.#text;
    return text;
  }

  #newNote(task: Task): string {
    if (stateOf(task) !== 'working') return '';
    const note = (task.status?.message?.parts ?? []).map(textOfPart).join('');
    if (note === this.#note) return '';
    this.#note = note;
    return note === '' ? '' : `${note}\n`;
  }
}

const nothing: Shown = { text: '', note: '' };

function copied(artifact: Artifact): Artifact {
  return { ...artifact, parts: [...artifact.parts] };
}
