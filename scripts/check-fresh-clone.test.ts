import { expect, test } from 'vitest';
import { answerProblems, lastLineShown } from './check-fresh-clone.ts';

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

test('the last line of a conversation is that of the first text block', () => {
  const readme =
    '# x\n```sh\nnpm start\n```\n```text\nuser: Hi\n\n  path: a → b\n\n```\n```text\nmore\n```';
  expect(lastLineShown(readme)).toBe('path: a → b');
  expect(lastLineShown('# no conversation')).toBe('');
});
