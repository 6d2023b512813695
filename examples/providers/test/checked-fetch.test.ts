import { createServer } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { checkedFetch, expectLegal, type CheckedRequest } from './checked-fetch.ts';
import { ran } from './printed.ts';

/** A server that takes anything. */
async function anyServer(): Promise<string> {
  const server = createServer((request, response) => {
    request.resume();
    response.end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
}

test.each([
  ['openai', '/v1/responses'],
  ['openai', '/v1/chat/completions'],
  ['azure', '/openai/v1/responses'],
  ['azure', '/openai/v1/chat/completions'],
  ['anthropic', '/v1/messages'],
  ['google', '/v1beta/models/gemini-3.8-flash:generateContent'],
  [
    'vertex',
    '/v1/projects/p/locations/l/publishers/google/models/gemini-3.8-flash:generateContent',
  ],
  ['ollama', '/api/chat'],
  ['/v1/new', '/v1/new'],
])('an illegal request to %s is seen: %s', async (api, path) => {
  const checked: CheckedRequest[] = [];
  const fetch = checkedFetch(checked);
  await fetch((await anyServer()) + path, { method: 'POST', body: '{"messages":[]}' });
  expect(checked).toMatchObject([{ api }]);
  expect(() => expectLegal(checked)).toThrow(`The vendors refuse what was sent:\n${api}: `);
});

test('a program that sends an illegal request fails its test', async () => {
  const url = `${await anyServer()}/api/chat`;
  const program = `await fetch(${JSON.stringify(url)}, { method: 'POST', body: '{"messages":[]}' })`;
  await expect(ran(['--input-type=module', '--eval', program])).rejects.toThrow(
    'ollama: The model has no name.',
  );
});
