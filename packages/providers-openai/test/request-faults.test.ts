import { expect, it } from 'vitest';
import { requestFaults } from './request-faults.ts';

const user = { role: 'user', content: 'Hello' };
const call = { id: 'call_1', type: 'function', function: { name: 'a', arguments: '{}' } };
const chat = (...messages: readonly object[]): object => ({ model: 'm', messages });
const item = { type: 'function_call', call_id: 'call_1', name: 'a', arguments: '{}' };
const responses = (...input: readonly object[]): object => ({ model: 'm', store: false, input });
const result = { type: 'function_call_output', call_id: 'call_1', output: 'x' };
const thought = { type: 'reasoning', summary: [], encrypted_content: 'x' };
const tool = (parameters: object): object => ({
  ...responses(user),
  tools: [{ type: 'function', name: 'a', strict: true, parameters }],
});

it.each<[string, object]>([
  [
    'chat',
    chat(
      user,
      { role: 'assistant', content: null, tool_calls: [call] },
      { role: 'tool', tool_call_id: 'call_1', content: 'x' },
    ),
  ],
  ['responses', responses(user, thought, item, result)],
])('takes what %s takes', (_, body) => expect(requestFaults(body)).toEqual([]));

it.each<[string, object, string]>([
  ['no model', { messages: [user] }, 'model'],
  ['no messages', chat(), 'messages'],
  ['a call without a result', chat({ role: 'assistant', tool_calls: [call] }), 'no result'],
  [
    'a message between a call and its result',
    chat({ role: 'assistant', tool_calls: [call] }, user, {
      role: 'tool',
      tool_call_id: 'call_1',
      content: 'x',
    }),
    'no result',
  ],
  [
    'a result without a call',
    chat(user, { role: 'tool', tool_call_id: 'x', content: '' }),
    'does not follow',
  ],
  ['an answer without content', chat({ role: 'assistant', content: null }), 'without content'],
  ['a choice without tools', { ...chat(user), tool_choice: 'auto' }, 'tool_choice'],
  ['a field of the other API', { ...responses(user), stop: ['x'] }, 'stop'],
  ['an item of a call without output', responses(user, item), 'no result'],
  ['an output without a call', responses(result), 'no call'],
  ['two calls with one id', responses(item, item, result), 'id of a call'],
  ['loose reasoning', responses(user, thought), 'nothing follows'],
  ['reasoning by its id', responses({ ...thought, id: 'rs_1' }, user), 'not stored'],
  [
    'a strict schema with optional fields',
    tool({ type: 'object', properties: { a: {} }, additionalProperties: false }),
    'not required',
  ],
  [
    'a strict schema that is open',
    tool({ type: 'object', properties: {} }),
    'additionalProperties',
  ],
])('notices %s', (_, body, fault) => {
  expect(requestFaults(body).join(' ')).toContain(fault);
});
