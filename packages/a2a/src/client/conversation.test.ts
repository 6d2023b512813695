import type { Message, Part } from '@agent-functions/core';
import { expect, test } from 'vitest';
import { filesToSend, nextMove, toolNames } from './conversation.ts';

const names = toolNames('bank');

let count = 0;
function message(role: Message['role'], parts: readonly Part[] | string, agent?: string): Message {
  const list: readonly Part[] = typeof parts === 'string' ? [{ type: 'text', text: parts }] : parts;
  count += 1;
  return { id: `m${count}`, role, parts: list, ...(agent === undefined ? {} : { agent }) };
}

const call = (toolName: string): Message =>
  message('assistant', [{ type: 'tool-call', callId: 'c', toolName, input: {} }], 'bank');
const result = (toolName: string, value: object | string, isError = false): Message =>
  message('tool', [
    {
      type: 'tool-result',
      callId: 'c',
      toolName,
      isError,
      output: { type: 'json', value: JSON.parse(JSON.stringify(value)) },
    },
  ]);

test('a request is sent as it is; what came before it in the conversation goes before it', () => {
  const asked = message('user', 'How much is it?');
  expect(nextMove([asked], names)).toEqual({ type: 'send', message: 'How much is it?' });
  const before = [message('user', 'Hello.'), message('assistant', 'Hi.', 'desk')];
  expect(nextMove([...before, asked], names)).toEqual({
    type: 'send',
    message: 'The conversation so far:\nuser: Hello.\nassistant: Hi.\n\nHow much is it?',
  });
});

test('what the agent has seen, and said, is not sent again', () => {
  const seen = [
    message('user', 'Hello.'),
    call(names.send),
    result(names.send, { state: 'working', taskId: 't' }),
    message('assistant', 'Hi.', 'bank'),
  ];
  const more = [message('user', 'Wait.'), message('assistant', 'I wait.', 'desk')];
  const files: readonly Part[] = [
    { type: 'text', text: 'And this?' },
    { type: 'file', mediaType: 'image/png', data: 'eA==' },
  ];
  const messages = [...seen, ...more, message('user', files)];
  expect(nextMove(messages, names)).toEqual({
    type: 'send',
    message: 'The conversation so far:\nuser: Wait.\nassistant: I wait.\n\nAnd this?',
  });
  expect(filesToSend([...messages, call(names.send)], names)).toEqual(files.slice(1));
});

test('after a message was sent its task is gone on with; after a failure there is nothing', () => {
  const sent = [message('user', 'Hello.'), call(names.send)];
  const turn = { state: 'working', taskId: 't', contextId: 'c' };
  expect(nextMove([...sent, result(names.send, turn)], names)).toEqual({ type: 'go-on', turn });
  expect(nextMove([...sent, result(names.send, 'Away.', true)], names)).toEqual({
    type: 'fail',
    message: 'Away.',
    taskId: undefined,
  });
  const asked = [...sent, result(names.send, turn), call(names.answer)];
  expect(nextMove([...asked, result(names.answer, 'Refused.', true)], names)).toEqual({
    type: 'fail',
    message: 'Refused.',
    taskId: 't',
  });
});
