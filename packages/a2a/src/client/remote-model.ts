import {
  AgentError,
  retry,
  timeout,
  type Json,
  type Model,
  type ModelPart,
  type ModelResponse,
  type ModelStreamEvent,
} from '@agent-functions/core';
import { nextMove, type RemoteToolNames } from './conversation.ts';
import { follow } from './follow.ts';
import type { Remote } from './remote.ts';
import { isStopped, type RemoteTurn } from './turn.ts';

/** A call ends a little after the remote's own time, which is told in better words. */
const graceMs = 60_000;

/**
 * What speaks for a remote agent in its frame: a model that decides nothing. It calls the tool that sends the message, then
 * follows the task that came of it and says what the remote agent says; a question of the remote agent is a call of the
 * tool that answers it. All that must not happen twice is done by the two tools, and following only reads: so the loop
 * makes it durable, as with any other agent.
 */
export function remoteModel(remote: Remote, names: RemoteToolNames): Model {
  const model: Model = {
    provider: 'a2a',
    modelId: remote.name,
    capabilities: { tools: true, images: true },
    async *stream({ messages, output }, { signal }): AsyncGenerator<ModelStreamEvent, void> {
      const move = nextMove(messages, names);
      switch (move.type) {
        case 'send':
          yield response([call(names.send, { message: move.message })]);
          return;
        case 'fail':
          // It asked, and gets no answer: it waits in vain.
          if (move.taskId !== undefined) await remote.cancel(move.taskId);
          throw new AgentError('handoff_error', move.message);
        case 'go-on': {
          const { taskId, answered, state } = move.turn;
          const turn =
            isStopped(state) || taskId === undefined
              ? move.turn
              : yield* follow(remote, taskId, {
                  signal,
                  answered,
                  json: output !== undefined,
                });
          yield respond(remote, names, { ...turn, taskId: turn.taskId ?? taskId });
          return;
        }
        default:
          move satisfies never;
      }
    },
  };
  // What is asked again is how the task stands: an agent that restarts meanwhile has it still.
  return retry(timeout(model, { totalMs: remote.timeoutMs + graceMs }), {
    maxRetries: 6,
    maxDelayMs: 20_000,
  });
}

/** What the agent says of a task that stands still. @throws AgentError for one that gave no answer. */
function respond(remote: Remote, names: RemoteToolNames, turn: RemoteTurn): ModelStreamEvent {
  const { state, question, answer = [], taskId = '', contextId = '', reason = '' } = turn;
  switch (state) {
    case 'completed':
      return response(
        answer.length > 0
          ? answer.filter((part) => part.type !== 'tool-call')
          : [{ type: 'text', text: `${remote.name} completed the task and sent no output.` }],
      );
    case 'input-required':
    case 'auth-required': {
      const { key = '', message = '', data } = question ?? {};
      const asked = { message, ...(data === undefined ? {} : { data }), key };
      return response([call(names.answer, { question: asked, state, taskId, contextId })]);
    }
    default: {
      const what = state === 'canceled' ? 'was cancelled there' : (verbs[state] ?? 'has no answer');
      const why = reason === '' ? '.' : `: ${reason}`;
      throw new AgentError('handoff_error', `Remote agent ${remote.name} ${what}${why}`);
    }
  }
}

const verbs: { readonly [state: string]: string } = {
  failed: 'failed',
  rejected: 'rejected the request',
};

function call(toolName: string, input: Json): ModelPart {
  return { type: 'tool-call', toolName, input };
}

function response(parts: readonly ModelPart[]): ModelStreamEvent {
  const calls = parts.some(({ type }) => type === 'tool-call');
  const answer: ModelResponse = {
    parts,
    usage: { inputTokens: 0, outputTokens: 0, totalTokens: 0 },
    finishReason: calls ? 'tool-calls' : 'stop',
  };
  return { type: 'response', response: answer };
}
