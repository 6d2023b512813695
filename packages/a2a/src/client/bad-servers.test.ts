import { createServer, type ServerResponse } from 'node:http';
import { Runner } from '@agent-functions/core';
import { describe, expect, test } from 'vitest';
import { remoteAgent } from './remote-agent.ts';

// What a remote agent sends is a stranger's: whatever it is, the run ends, and says why.

interface Answers {
  readonly card?: (url: string) => string;
  readonly rpc: (method: string, id: unknown, response: ServerResponse) => void;
}

const goodCard = (url: string) =>
  JSON.stringify({
    name: 'bad',
    capabilities: { streaming: true },
    supportedInterfaces: [{ url, protocolBinding: 'JSONRPC', protocolVersion: '1.0' }],
  });

async function badServer({ card = goodCard, rpc }: Answers) {
  const server = createServer((request, response) => {
    if (request.method === 'GET') {
      response.setHeader('content-type', 'application/json').end(card(url));
      return;
    }
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      const { method, id } = JSON.parse(text);
      rpc(method, id, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  return {
    url,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const json = (response: ServerResponse, id: unknown, result: unknown) =>
  response
    .setHeader('content-type', 'application/json')
    .end(JSON.stringify({ jsonrpc: '2.0', id, result }));

const task = (state: string, more: object = {}) => ({
  task: { id: 't', contextId: 'c', status: { state: `TASK_STATE_${state}` }, ...more },
});

async function failure(answers: Answers, options = {}): Promise<string | undefined> {
  await using server = await badServer(answers);
  const agent = remoteAgent(server.url, {
    name: 'bad',
    requestTimeoutMs: 300,
    timeoutMs: 600,
    ...options,
  });
  const result = await new Runner(agent).run('Hello.');
  expect(result.status).toBe('failed');
  return result.error?.message;
}

describe('a card', () => {
  const rpc = () => undefined;
  test.each([
    ['that is no JSON', '<html>', 'its answer does not fit the protocol'],
    ['that is a list', '[]', 'it is no JSON object'],
    ['without an address', '{}', 'it names no address'],
    ['that is too large', `"${'x'.repeat(2_000)}"`, 'it sent more than 1000 bytes'],
  ])('%s', async (_, card, reason) => {
    expect(await failure({ card: () => card, rpc }, { maxMessageBytes: 1_000 })).toContain(reason);
  });
});

describe('an answer', () => {
  const unknown = 'Nobody knows whether send_to_bad happened';
  test.each<readonly [string, Answers['rpc'], string]>([
    ['that is no JSON', (_, __, response) => response.end('<html>'), unknown],
    ['that is empty', (_, id, response) => json(response, id, {}), unknown],
    ['that is cut off', (_, __, response) => void response.destroy(), unknown],
    [
      'that is an error',
      (_, id, response) => {
        const error = { code: -32602, message: 'No \u{d83d} such words.' };
        response.end(JSON.stringify({ jsonrpc: '2.0', id, error }));
      },
      'it refused: No \u{fffd} such words.',
    ],
    [
      'in a state that nobody knows',
      (method, id, response) =>
        json(response, id, method === 'GetTask' ? task('WORKING').task : task('WORKING')),
      'did not finish within 600 ms',
    ],
    [
      'with data that is nested without end',
      (_, id, response) => {
        const nested = `${'['.repeat(300)}${']'.repeat(300)}`;
        const artifacts = `[{"artifactId":"a","parts":[{"data":${nested}}]}]`;
        const result = `{"task":{"id":"t","contextId":"c","status":{"state":"TASK_STATE_COMPLETED"},"artifacts":${artifacts}}}`;
        response.setHeader('content-type', 'application/json');
        response.end(`{"jsonrpc":"2.0","id":${String(id)},"result":${result}}`);
      },
      'nested deeper than 200 levels',
    ],
  ])('%s', async (_, rpc, reason) => {
    expect(await failure({ rpc })).toContain(reason);
  });

  test('that never ends is cut at the limit', async () => {
    const rpc: Answers['rpc'] = (method, id, response) => {
      if (method === 'SendMessage') json(response, id, task('WORKING'));
      else if (method === 'SubscribeToTask') {
        response.setHeader('content-type', 'text/event-stream');
        const artifact = { artifactId: 'a', parts: [{ text: 'x'.repeat(1_000) }] };
        const result = { artifactUpdate: { taskId: 't', contextId: 'c', artifact, append: true } };
        const timer = setInterval(
          () => response.write(`data: ${JSON.stringify({ jsonrpc: '2.0', id, result })}\n\n`),
          1,
        );
        response.on('close', () => clearInterval(timer));
      } else json(response, id, {});
    };
    expect(await failure({ rpc }, { maxAnswerBytes: 10_000, timeoutMs: 10_000 })).toBe(
      'Remote agent bad: it sent more than 10000 bytes.',
    );
  });
});
