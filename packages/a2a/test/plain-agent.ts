import { Role, TaskState, type Artifact, type Message, type Part, type Task } from '@a2a-js/sdk';
import {
  AgentEvent,
  type AgentExecutor,
  type ExecutionEventBus,
  type RequestContext,
} from '@a2a-js/sdk/server';

// An agent on the official SDK, whose behaviour is chosen by a word of its message.

const state = {
  submitted: TaskState.TASK_STATE_SUBMITTED,
  working: TaskState.TASK_STATE_WORKING,
  completed: TaskState.TASK_STATE_COMPLETED,
  failed: TaskState.TASK_STATE_FAILED,
  canceled: TaskState.TASK_STATE_CANCELED,
  inputRequired: TaskState.TASK_STATE_INPUT_REQUIRED,
  rejected: TaskState.TASK_STATE_REJECTED,
  authRequired: TaskState.TASK_STATE_AUTH_REQUIRED,
};

const words = /\b(message|ask|choose|fail|reject|nothing|chunks|slow|large|data|file|login)\b/;

/** What the agent saw, and how a test holds it up. */
export class PlainAgent implements AgentExecutor {
  /** Every message that it was given, in order. */
  readonly messages: Message[] = [];
  readonly taskIds = new Set<string>();
  readonly cancelled: string[] = [];
  /** What `slow` waits for. */
  readonly gates: (() => void)[] = [];
  readonly #contexts = new Map<string, string>();

  async execute({ userMessage, taskId, contextId, task }: RequestContext, bus: ExecutionEventBus) {
    this.messages.push(userMessage);
    this.taskIds.add(taskId);
    this.#contexts.set(taskId, contextId);
    const said = userMessage.parts.map(textOf).join('');
    const word = words.exec(said)?.[0];
    const at = { taskId, contextId };
    if (word === 'message') {
      bus.publish(AgentEvent.message(agentMessage('Said without a task.', at)));
      return;
    }
    bus.publish(AgentEvent.task(task ?? newTask(at, userMessage)));
    if (task !== undefined) {
      this.#end(bus, at, state.completed, `You said ${said}.`);
      return;
    }
    const status = (value: TaskState, text?: string): void => publishStatus(bus, at, value, text);
    status(state.working);
    switch (word) {
      case 'ask':
        status(state.inputRequired, 'Which currency?');
        return;
      case 'login':
        status(state.authRequired, 'Open https://login.example.com.');
        return;
      case 'choose':
        publishStatus(bus, at, state.inputRequired, undefined, [
          textPart('How much?'),
          dataPart({ schema: { type: 'number' } }),
        ]);
        return;
      case 'fail':
        status(state.failed, 'The rates are closed today.');
        return;
      case 'reject':
        status(state.rejected, 'Not my field.');
        return;
      case 'nothing':
        status(state.completed);
        return;
      case 'chunks': {
        status(state.working, 'Looking up the rates …');
        for (const [index, text] of ['100 USD ', 'are ', '92 EUR.'].entries()) {
          publishArtifact(bus, at, [textPart(text)], index > 0);
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
        status(state.completed);
        return;
      }
      case 'slow':
        publishArtifact(bus, at, [textPart('Half ')], false);
        await new Promise<void>((resolve) => this.gates.push(resolve));
        if (this.cancelled.includes(taskId)) {
          status(state.canceled);
          return;
        }
        publishArtifact(bus, at, [textPart('and whole.')], true);
        status(state.completed);
        return;
      case 'large':
        this.#end(bus, at, state.completed, 'x'.repeat(200_000));
        return;
      case 'data':
        publishArtifact(bus, at, [dataPart({ eur: 92 })], false);
        status(state.completed);
        return;
      case 'file':
        publishArtifact(bus, at, [textPart('See '), ...userMessage.parts.filter(isFile)], false);
        status(state.completed);
        return;
      default:
        this.#end(bus, at, state.completed, `Echo: ${said}`);
    }
  }

  cancelTask(taskId: string, bus: ExecutionEventBus): Promise<void> {
    this.cancelled.push(taskId);
    const works = this.gates.length > 0;
    this.release();
    const contextId = this.#contexts.get(taskId) ?? '';
    if (!works) publishStatus(bus, { taskId, contextId }, state.canceled);
    return Promise.resolve();
  }

  /** What waits goes on. */
  release(): void {
    for (const open of this.gates.splice(0)) open();
  }

  #end(bus: ExecutionEventBus, at: At, value: TaskState, text: string): void {
    publishArtifact(bus, at, [textPart(text)], false);
    publishStatus(bus, at, value);
  }
}

interface At {
  readonly taskId: string;
  readonly contextId: string;
}

function newTask({ taskId, contextId }: At, message: Message): Task {
  return {
    id: taskId,
    contextId,
    status: { state: state.submitted, message: undefined, timestamp: new Date().toISOString() },
    artifacts: [],
    history: [message],
    metadata: undefined,
  };
}

function publishStatus(
  bus: ExecutionEventBus,
  at: At,
  value: TaskState,
  text?: string,
  parts: Part[] = [textPart(text ?? '')],
): void {
  const says = text !== undefined || parts.length > 1;
  const message = says ? { ...agentMessage('', at), parts } : undefined;
  const status = { state: value, message, timestamp: new Date().toISOString() };
  bus.publish(AgentEvent.statusUpdate({ ...at, status, metadata: undefined }));
}

function publishArtifact(bus: ExecutionEventBus, at: At, parts: Part[], append: boolean): void {
  const artifact: Artifact = {
    artifactId: 'answer',
    name: '',
    description: '',
    parts,
    metadata: undefined,
    extensions: [],
  };
  const value = { ...at, artifact, append, lastChunk: false, metadata: undefined };
  bus.publish(AgentEvent.artifactUpdate(value));
}

function agentMessage(text: string, { taskId, contextId }: At): Message {
  return {
    messageId: crypto.randomUUID(),
    taskId,
    contextId,
    role: Role.ROLE_AGENT,
    parts: [textPart(text)],
    metadata: undefined,
    extensions: [],
    referenceTaskIds: [],
  };
}

function textPart(value: string): Part {
  return { content: { $case: 'text', value }, metadata: undefined, filename: '', mediaType: '' };
}

function dataPart(value: unknown): Part {
  return { content: { $case: 'data', value }, metadata: undefined, filename: '', mediaType: '' };
}

function textOf({ content }: Part): string {
  return content?.$case === 'text' ? content.value : JSON.stringify(content?.value ?? '');
}

function isFile({ content }: Part): boolean {
  return content?.$case === 'raw' || content?.$case === 'url';
}
