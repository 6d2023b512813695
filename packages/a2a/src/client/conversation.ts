import {
  outputText,
  textOf,
  type Message,
  type Part,
  type ToolResultPart,
} from '@agent-functions/core';
import { readTurn, type RemoteTurn } from './turn.ts';

// What a conversation says of a remote agent: what it has not seen yet, and which task it works on.

/** How the two tools of a remote agent are called. */
export interface RemoteToolNames {
  readonly send: string;
  readonly answer: string;
}

export function toolNames(agent: string): RemoteToolNames {
  return { send: `send_to_${agent}`, answer: `answer_to_${agent}` };
}

/** What comes next in the frame of a remote agent. */
export type Move =
  | { readonly type: 'send'; readonly message: string }
  | { readonly type: 'go-on'; readonly turn: RemoteTurn }
  /** Nothing was sent, or nobody knows; or a question was not answered: then `taskId` waits in vain. */
  | { readonly type: 'fail'; readonly message: string; readonly taskId: string | undefined };

export function nextMove(messages: readonly Message[], names: RemoteToolNames): Move {
  const result = ownResults(messages.slice(-1), names).at(-1);
  if (result === undefined) return { type: 'send', message: textToSend(messages, names) };
  if (result.isError !== true) return { type: 'go-on', turn: turnOf(result) };
  const before = ownResults(messages.slice(0, -1), names).at(-1);
  const taskId =
    result.toolName === names.answer && before !== undefined ? turnOf(before).taskId : undefined;
  return { type: 'fail', message: outputText(result.output), taskId };
}

/** The turns of a conversation that the remote agent had, oldest first. */
export function turnsOf(
  messages: readonly Message[],
  names: RemoteToolNames,
): readonly RemoteTurn[] {
  return ownResults(messages, names)
    .filter(({ isError }) => isError !== true)
    .map(turnOf);
}

/** The files of what is sent by this call. */
export function filesToSend(messages: readonly Message[], names: RemoteToolNames): readonly Part[] {
  return unseen(messages, names).request.flatMap(({ parts }) =>
    parts.filter(({ type }) => type === 'file'),
  );
}

function textToSend(messages: readonly Message[], names: RemoteToolNames): string {
  const { before, request } = unseen(messages, names);
  const said = before.flatMap((message) => {
    const text = textOf(message);
    return text === '' ? [] : [`${message.role}: ${text}`];
  });
  const asked = request
    .map(textOf)
    .filter((text) => text !== '')
    .join('\n\n');
  return said.length === 0 ? asked : `The conversation so far:\n${said.join('\n')}\n\n${asked}`;
}

/** What was said since the agent was last asked: the request, and what came before it. */
function unseen(messages: readonly Message[], names: RemoteToolNames) {
  const seen = messages.findLastIndex(({ role, parts }) =>
    role === 'tool' ? parts.some((part) => isOwn(part, names)) : false,
  );
  // Its own answer follows the result; the call that sends comes last.
  const since = messages
    .slice(seen + 1)
    .filter(({ parts }) => !parts.some((part) => isOwn(part, names)));
  const own = seen === -1 || since[0]?.role !== 'assistant' ? since : since.slice(1);
  const last = own.findLastIndex(({ role }) => role !== 'user');
  return { before: own.slice(0, last + 1), request: own.slice(last + 1) };
}

function ownResults(
  messages: readonly Message[],
  names: RemoteToolNames,
): readonly ToolResultPart[] {
  return messages.flatMap(({ parts }) =>
    parts.filter((part): part is ToolResultPart => {
      return part.type === 'tool-result' && isOwn(part, names);
    }),
  );
}

function isOwn(part: Part, names: RemoteToolNames): boolean {
  return (
    (part.type === 'tool-call' || part.type === 'tool-result') &&
    (part.toolName === names.send || part.toolName === names.answer)
  );
}

function turnOf({ output }: ToolResultPart): RemoteTurn {
  return readTurn(output.type === 'json' ? output.value : null);
}
