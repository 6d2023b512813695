import { expect, it } from 'vitest';
import { requestFaults } from './request-faults.ts';
import { wireServer } from './wire-server.ts';

const ask = { role: 'user', content: 'Hi' };
const called = {
  role: 'assistant',
  content: '',
  tool_calls: [{ function: { name: 'weather', arguments: {} } }],
};
const result = { role: 'tool', content: '{}', tool_name: 'weather' };
const body = (...messages: readonly object[]) => ({ model: 'qwen3', stream: true, messages });

it('has nothing to say of a request that Ollama documents', () => {
  expect(requestFaults(body({ role: 'system', content: 'x' }, ask))).toEqual([]);
  expect(requestFaults(body(ask, called, result, ask))).toEqual([]);
});

it.each<[string, object]>([
  ['no messages', body()],
  ['no model', { ...body(ask), model: '' }],
  ['a field of another API', { ...body(ask), max_tokens: 5 }],
  ['an option that does not exist', { ...body(ask), options: { maxTokens: 5 } }],
  ['a role of another API', body({ role: 'developer', content: 'x' })],
  ['content in parts', body({ role: 'user', content: [{ type: 'text', text: 'x' }] })],
  ['an image by its address', body({ ...ask, images: ['https://example.com/a.png'] })],
  [
    'arguments as text',
    body(
      ask,
      { ...called, tool_calls: [{ function: { name: 'weather', arguments: '{}' } }] },
      result,
    ),
  ],
  ['a result without a call', body(ask, result)],
  ['a result without a name', body(ask, called, { role: 'tool', content: '{}' })],
])('finds %s', (_, wrong) => {
  expect(requestFaults(wrong)).not.toEqual([]);
});

it('fails a test that sends one, even where the test waits for a failure', async () => {
  const server = await wireServer();
  const init = { method: 'POST', body: JSON.stringify(body()) };
  await fetch(`${server.url}/api/chat`, init);
  await expect(server.close()).rejects.toThrow('There are no messages.');
});
