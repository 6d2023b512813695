import { expect, test } from 'vitest';
import { answerProblems } from './check-fresh-clone.ts';

const answer = {
  status: 'completed',
  response: 'It is 9 °C.',
  tool_results: [{ tool: 'get_weather', result: {} }],
  usage: { total_tokens: 40 },
};

test('an answer shows a tool result and counts tokens', () => {
  expect(answerProblems(JSON.stringify(answer))).toEqual([]);
});

test('an answer without a tool result, without tokens, or of no JSON is a problem', () => {
  expect(answerProblems(JSON.stringify({ ...answer, tool_results: [] }))).toHaveLength(1);
  expect(answerProblems(JSON.stringify({ ...answer, usage: { total_tokens: 0 } }))).toHaveLength(1);
  expect(answerProblems('curl: (7) Failed to connect')).toHaveLength(1);
});
