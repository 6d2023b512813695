import {
  AgentError,
  askForInput,
  isJsonObject,
  jsonSchema,
  toJson,
  tool,
  type Json,
  type Question,
  type Tool,
  type ToolContext,
} from '@agent-functions/core';
import { recordOf, stringOf } from '@agent-functions/core/provider';
import type { RemoteToolNames } from './conversation.ts';
import { fateOf, told } from './errors.ts';
import { answerPart } from './parts.ts';
import { idsOf, mentions, type Remote } from './remote.ts';
import {
  answerSchemaOf,
  isEnded,
  readQuestion,
  stateOf,
  turnOfTask,
  type RemoteQuestion,
  type RemoteTurn,
} from './turn.ts';

interface Asked {
  readonly taskId: string;
  readonly contextId: string;
  readonly state: string;
  readonly question: RemoteQuestion;
}

/**
 * The tool that has a person answer what a remote agent asks, and sends the answer as the next message of its task, once.
 * Interrupted, it looks whether the task has the message.
 */
export function answerTool<C>(
  remote: Remote,
  names: RemoteToolNames,
  options: { readonly json: boolean; readonly inputTimeoutMs: number | undefined },
): Tool<C> {
  const made = tool<Asked, RemoteTurn, C>({
    name: names.answer,
    description: `Answers a question of the remote agent ${remote.name}.`,
    parameters: askedInput,
    effect: 'once',
    onError: (error) => told(remote.name, error),
    async execute(asked, context) {
      const { answer, signal } = context;
      if (answer === undefined) return questionOf(remote, asked, options.inputTimeoutMs);
      const { messageId } = await idsOf(context.idempotencyKey);
      const { taskId, contextId, question } = asked;
      try {
        const turn = await remote.send(
          { messageId, contextId, taskId, parts: [answerPart(answer)] },
          options.json,
          signal,
        );
        return { ...notYet(turn, question), answered: question.key };
      } catch (error) {
        if (signal.aborted || fateOf(error) === 'not-done') throw error;
        const known = await took(remote, asked, context).catch(() => undefined);
        if (known === true) return goesOn(asked);
        throw new AgentError('outcome_unknown', told(remote.name, error), { cause: error });
      }
    },
    async reconcile(asked, context) {
      if (context.answer === undefined) return { done: false };
      return (await took(remote, asked, context))
        ? { done: true, output: goesOn(asked) }
        : { done: false };
    },
  });
  return Object.freeze({ ...made, kind: 'remote' as const });
}

/** Whether the task has taken the answer. */
async function took<C>(
  remote: Remote,
  { taskId, question }: Asked,
  { idempotencyKey, signal }: ToolContext<C>,
): Promise<boolean> {
  const { messageId } = await idsOf(idempotencyKey);
  const task = await remote.task(taskId, signal, { history: true });
  if (mentions(task, messageId) || isEnded(stateOf(task))) return true;
  // It still asks the same, or something else by now.
  return turnOfTask(task, remote.reading(false)).question?.key !== question.key;
}

// What came back may be the task as it was before the answer.
function notYet(turn: RemoteTurn, { key }: RemoteQuestion): RemoteTurn {
  if (turn.question?.key !== key) return turn;
  const { question: _, ...rest } = turn;
  return { ...rest, state: 'working' };
}

function goesOn({ taskId, contextId, question }: Asked): RemoteTurn {
  return { state: 'working', taskId, contextId, answered: question.key };
}

function questionOf(
  { name }: Remote,
  { question, state }: Asked,
  timeoutMs: number | undefined,
): Question {
  const said = question.message.trim();
  const text =
    said !== ''
      ? said
      : question.data === undefined
        ? 'It needs input.'
        : JSON.stringify(question.data).slice(0, 4_000);
  return askForInput({
    message: state === 'auth-required' ? `${name} wants a login: ${text}` : `${name} asks: ${text}`,
    schema: answerSchemaOf(question),
    timeoutMs,
  });
}

const askedInput = jsonSchema<Asked>(
  {
    type: 'object',
    properties: {
      taskId: { type: 'string' },
      contextId: { type: 'string' },
      state: { type: 'string' },
      question: { type: 'object' },
    },
    required: ['taskId', 'question'],
  },
  {
    validate(value) {
      const { taskId, contextId, state, question } = recordOf(value);
      const asked: Json = toJson(question);
      if (typeof taskId !== 'string' || !isJsonObject(asked)) {
        throw new Error('taskId, question: they must say what is answered');
      }
      return {
        taskId,
        contextId: stringOf(contextId) ?? '',
        state: stringOf(state) ?? '',
        question: readQuestion(asked),
      };
    },
  },
);
