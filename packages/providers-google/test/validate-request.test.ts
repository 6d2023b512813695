import { expect, it } from 'vitest';
import { bodyProblems } from './validate-request.ts';

const user = { role: 'user', parts: [{ text: 'a' }] };
const call = (id?: string) => ({
  functionCall: { name: 'f', args: {}, id },
  thoughtSignature: 's',
});
const result = (id?: string, name = 'f') => ({
  functionResponse: { name, response: { output: 1 }, id },
});
const turn = (calls: object[], results: object[]) => ({
  contents: [user, { role: 'model', parts: calls }, { role: 'user', parts: results }],
});
const declared = (parametersJsonSchema: object) => ({
  contents: [user],
  tools: [{ functionDeclarations: [{ name: 'f', description: 'F', parametersJsonSchema }] }],
});

it('takes what is legal', () => {
  expect(bodyProblems(turn([call('1')], [result('1')]), 'gemini-3.8-flash')).toEqual([]);
  expect(bodyProblems(declared({ type: 'object' }), 'gemini-2.5-pro')).toEqual([]);
});

it.each<[string, object]>([
  ['contents are required', { contents: [] }],
  ['the body has no stream', { contents: [user], stream: true }],
  ['the last turn', { contents: [user, { role: 'model', parts: [{ text: 'b' }] }] }],
  ['the first turn', { contents: [{ role: 'model', parts: [{ text: 'b' }] }, user] }],
  ['two turns of the user', { contents: [user, user] }],
  ['an empty text', { contents: [{ role: 'user', parts: [{ text: '' }] }] }],
  ['role assistant', { contents: [user, { role: 'assistant', parts: [{ text: 'b' }] }, user] }],
  ['calls without results', { contents: [user, { role: 'model', parts: [call()] }, user] }],
  ['1 results after 0 calls', { contents: [user, { role: 'user', parts: [result()] }] }],
  ['1 results after 2 calls', turn([call(), call()], [result()])],
  ['results of other ids', turn([call('1')], [result('2')])],
  ['results of others', turn([call('1')], [result('1', 'g')])],
  ['ids repeat', turn([call('1'), call('1')], [result('1'), result('1')])],
  ['results beside other parts', turn([call()], [result(), { text: 'a' }])],
  ['is not signed', turn([{ functionCall: { name: 'f', args: {} } }], [result()])],
  ['a schema has no pattern', declared({ type: 'object', pattern: 'x' })],
  ['a keyword beside $ref', declared({ type: 'object', items: { $ref: '#', title: 't' } })],
  ['parameters are an object', declared({ type: 'string' })],
  [
    'no function g',
    {
      ...declared({ type: 'object' }),
      toolConfig: { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['g'] } },
    },
  ],
  ['without its mime type', { contents: [user], generationConfig: { responseJsonSchema: {} } }],
  [
    'thinkingLevel and thinkingBudget',
    {
      contents: [user],
      generationConfig: { thinkingConfig: { thinkingLevel: 'LOW', thinkingBudget: 1 } },
    },
  ],
  [
    'no https or gs',
    {
      contents: [
        { role: 'user', parts: [{ fileData: { mimeType: 'a/b', fileUri: 'file:///x' } }] },
      ],
    },
  ],
])('sees %s', (problem, body) => {
  expect(bodyProblems(body, 'gemini-3.8-flash').join('\n')).toContain(problem);
});

it('sees what an older model does not take', () => {
  const generationConfig = {
    responseMimeType: 'application/json',
    responseJsonSchema: {},
    thinkingConfig: { thinkingLevel: 'LOW' },
  };
  const body = { ...declared({ type: 'object' }), generationConfig };
  expect(bodyProblems(body, 'gemini-2.5-flash')).toHaveLength(2);
  expect(bodyProblems(body, 'gemini-3.8-flash')).toEqual([]);
});
