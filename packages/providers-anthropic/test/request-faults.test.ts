import { expect, test } from 'vitest';
import { requestFaults } from './request-faults.ts';

const legal = {
  model: 'claude-sonnet-5-5',
  max_tokens: 5,
  messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }],
};
const ask = legal.messages[0];
const use = (id: string, input: unknown = {}) => ({ type: 'tool_use', id, name: 'a', input });
const result = (id: string, more: object = {}) => ({
  type: 'tool_result',
  tool_use_id: id,
  ...more,
});
const turns = (...content: readonly (readonly object[])[]) => ({
  messages: [
    ask,
    ...content.map((blocks, index) => ({
      role: index % 2 === 0 ? 'assistant' : 'user',
      content: blocks,
    })),
  ],
});
const tool = { name: 'a', input_schema: { type: 'object', properties: {} } };
const words = { type: 'text', text: 'x' };

test('a legal request has no faults', () => {
  expect(requestFaults(legal)).toEqual([]);
  expect(
    requestFaults({ ...legal, tools: [tool], ...turns([words, use('t1')], [result('t1'), words]) }),
  ).toEqual([]);
});

// Each of these the real API answers with a 400.
test.each([
  [{ model: '' }, 'model is missing'],
  [{ max_tokens: undefined }, 'max_tokens'],
  [{ temperature: 1 }, 'unknown field temperature'],
  [{ messages: [] }, 'messages is empty'],
  [{ messages: [{ role: 'assistant', content: [words] }] }, 'do not alternate'],
  [{ messages: [ask, ask] }, 'do not alternate'],
  [turns([words]), 'the last turn is an answer'],
  [turns([{ type: 'text', text: ' ' }], [words]), 'without text'],
  [turns([words], []), 'no content'],
  [turns([use('t1')]), 'no results'],
  [turns([use('t1')], [words]), 'no result of "t1"'],
  [turns([use('t1')], [words, result('t1')]), 'do not come first'],
  [turns([use('t1')], [result('t1'), result('t2')]), 'orphan'],
  [turns([use('t1')], [result('t1'), result('t1')]), 'two results'],
  [turns([use('t1'), use('t1')], [result('t1')]), 'there twice'],
  [turns([use('t.1')], [result('t.1')]), 'id t.1'],
  [turns([use('t1', 'text')], [result('t1')]), 'not an object'],
  [
    turns([use('t1')], [result('t1', { is_error: true, content: [{ type: 'image' }] })]),
    'more than text',
  ],
  [
    turns([words, { type: 'thinking', thinking: '', signature: 's' }], [words]),
    'ends with thinking',
  ],
  [
    turns([{ type: 'thinking', thinking: 'x', signature: '' }, words], [words]),
    'without a signature',
  ],
  [turns([{ type: 'document', source: {} }, words], [words]), 'document in an answer'],
  [turns([words], [{ type: 'image', source: { type: 'url', url: 'http://x' } }]), 'url http://x'],
  [
    turns(
      [words],
      [{ type: 'image', source: { type: 'base64', media_type: 'image/tiff', data: 'A' } }],
    ),
    'image of image/tiff',
  ],
  [turns([words], [{ ...words, citations: [{}] }]), 'citations'],
  [{ tools: [] }, 'tools is empty'],
  [{ tool_choice: { type: 'any' } }, 'without tools'],
  [{ tools: [tool], tool_choice: { type: 'required' } }, 'tool_choice'],
  [{ tools: [tool, tool] }, 'two tools'],
  [{ tools: [{ ...tool, name: 'a.b' }] }, 'name of a tool'],
  [{ tools: [{ name: 'a', input_schema: { anyOf: [] } }] }, 'not of type object'],
  [{ tools: [{ name: 'a', input_schema: { type: 'object', anyOf: [] } }] }, 'at its root'],
  [{ tools: [{ ...tool, strict: true }] }, 'additionalProperties is not false'],
  [
    { output_config: { format: { type: 'json_schema', schema: { type: 'number', minimum: 1 } } } },
    'keyword minimum',
  ],
  [{ output_config: { effort: 'minimal' } }, 'effort'],
  [{ thinking: { type: 'enabled', budget_tokens: 5 } }, 'budget_tokens'],
  [{ thinking: { type: 'enabled', budget_tokens: 2_000 } }, 'not below max_tokens'],
  [{ thinking: { type: 'adaptive', budget_tokens: 2_000 } }, 'budget_tokens with'],
  [turns([use('t1')], [result('t1')]), 'without tools'],
  [
    { ...turns([use('t1')], [result('t1')]), thinking: { type: 'enabled', budget_tokens: 2_000 } },
    'after calls made without',
  ],
  [{ stop_sequences: ['\n'] }, 'white space'],
  [{ system: [] }, 'system is empty'],
  [
    { system: Array.from({ length: 5 }, () => ({ ...words, cache_control: {} })) },
    '5 cache_control marks',
  ],
])('%j is a fault', (more, fault) => {
  expect(requestFaults({ ...legal, ...more }).join('; ')).toContain(fault);
});
