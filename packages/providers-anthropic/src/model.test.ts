import { AnthropicFoundry } from '@anthropic-ai/foundry-sdk';
import { Anthropic } from '@anthropic-ai/sdk';
import { fallback, type Message, type Model } from '@agent-functions/core';
import {
  streamAnswer,
  jsonAnswer,
  type HttpAnswer,
  type WireServer,
} from '@agent-functions/core/testing';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { asking, claude, failure, listen, respond, user, weather } from '../test/ask.ts';
import { start, stop, text } from '../test/wire-events.ts';
import { wireServer } from '../test/wire-server.ts';
import { anthropic } from './index.ts';

const hello = streamAnswer([start(), ...text(0, 'Hi'), ...stop('end_turn')].join(''));

let server: WireServer;
beforeEach(async () => {
  server = await wireServer();
  server.play(hello);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await server.close();
});

const bodies = () => server.received.map(({ body }) => JSON.parse(body));

interface Sent {
  readonly thinking?: { readonly type: string };
  readonly tool_choice?: { readonly type: string };
  readonly tools?: readonly { readonly strict?: boolean }[];
}

/** Refuses requests that are so, as the real API does, and answers the others. */
function refusing(isSo: (body: Sent) => boolean, message: string): HttpAnswer {
  const error = { type: 'invalid_request_error', message, details: null };
  const refusal = jsonAnswer({ type: 'error', error, request_id: 'req_1' }, 400);
  return (response, request) =>
    (isSo(JSON.parse(request.body)) ? refusal : hello)(response, request);
}

async function warned(model: Model, request = asking()): Promise<string[]> {
  const events = await listen(model, request);
  expect(events.at(-1)).toMatchObject({ type: 'response' });
  return events.flatMap((event) => (event.type === 'warning' ? [event.code] : []));
}

describe('a model', () => {
  test('reads the environment when it is first asked, and not before', async () => {
    vi.stubEnv('ANTHROPIC_API_KEY', '');
    const model = anthropic('claude-opus-5-5');
    expect(model.ready?.()).toBe(
      'The model claude-opus-5-5 of Anthropic has no key: set ANTHROPIC_API_KEY, or pass apiKey to anthropic().',
    );
    expect(await failure(listen(model))).toMatchObject({ code: 'not_configured' });
    vi.stubEnv('ANTHROPIC_API_KEY', 'sk-ant-env');
    vi.stubEnv('ANTHROPIC_BASE_URL', `${server.url}/v1`);
    expect(model.ready?.()).toBeUndefined();
    await respond(model);
    expect(server.received[0]).toMatchObject({
      url: '/v1/messages',
      headers: { authorization: 'Bearer sk-ant-env' },
    });
  });

  test('needs no key for a server of somebody else', async () => {
    vi.stubEnv('ANTHROPIC_API_KEY', '');
    await respond(anthropic('local', { baseURL: server.url }));
    expect(server.received[0]?.headers.authorization).toBeUndefined();
  });

  test('says what it can do', () => {
    expect(anthropic('claude-opus-5-5').capabilities).toEqual({
      tools: true,
      parallelToolCalls: true,
      strictSchemas: true,
      toolsWithStructuredOutput: true,
      images: true,
    });
    expect(anthropic('claude-3-5-haiku-20241022').capabilities?.strictSchemas).toBe(false);
  });

  test('shows no key as JSON or in a log', () => {
    expect(JSON.stringify(claude(server))).not.toContain('canary');
  });

  test('uses the fetch that it is given', async () => {
    const asked: string[] = [];
    const fetch: typeof globalThis.fetch = (input, init) => {
      asked.push(input instanceof Request ? input.url : String(input));
      return globalThis.fetch(input, init);
    };
    await respond(claude(server, { fetch }));
    expect(asked).toEqual([`${server.url}/v1/messages`]);
  });

  test('neither retries nor says so by itself', async () => {
    server.play(jsonAnswer({}, 529));
    await failure(listen(claude(server)));
    expect(server.received).toHaveLength(1);
    expect(server.received[0]?.headers['x-stainless-retry-count']).toBe('0');
  });
});

test('a redirect is not followed: it would take the conversation to another host', async () => {
  await using other = await wireServer();
  server.play(
    (response) => void response.writeHead(307, { location: `${other.url}/v1/messages` }).end(),
  );
  expect(await failure(listen(claude(server)))).toMatchObject({
    reason: 'invalid-request',
    status: 307,
  });
  expect(other.received).toHaveLength(0);
});

describe('a client that is handed in', () => {
  test('of the SDK is used with its address, key and headers', async () => {
    const client = new Anthropic({
      baseURL: server.url,
      apiKey: 'sk-ant-theirs',
      defaultHeaders: { 'x-app': 'a' },
    });
    const model = anthropic('claude-opus-5-5', { client, apiKey: 'ignored', betas: ['b-1'] });
    expect(model.ready?.()).toBeUndefined();
    expect((await respond(model)).parts).toEqual([{ type: 'text', text: 'Hi' }]);
    expect(server.received[0]?.headers).toMatchObject({
      authorization: 'Bearer sk-ant-theirs',
      'x-app': 'a',
      'anthropic-beta': 'b-1',
    });
    server.play(jsonAnswer({}, 500));
    await failure(listen(model));
    expect(server.received).toHaveLength(2);
  });

  test('of Foundry asks a deployment with a token of Entra ID', async () => {
    const client = new AnthropicFoundry({
      baseURL: `${server.url}/anthropic`,
      azureADTokenProvider: () => Promise.resolve('entra-token'),
    });
    const model = anthropic('my-deployment', { client });
    expect((await respond(model)).parts).toEqual([{ type: 'text', text: 'Hi' }]);
    expect(server.received[0]).toMatchObject({
      url: '/anthropic/v1/messages',
      headers: { authorization: 'Bearer entra-token' },
    });
    expect(bodies()[0].model).toBe('my-deployment');
  });
});

describe('a refusal teaches', () => {
  const thinking = (signature: string): Message => ({
    id: `a-${signature}`,
    runId: 'run_1',
    role: 'assistant',
    parts: [
      {
        type: 'reasoning',
        providerData: { anthropic: { type: 'thinking', thinking: 'Hm.', signature } },
      },
      { type: 'text', text: 'So.' },
    ],
  });
  const messages = [user('One?'), thinking('sig-1'), user('Two?', 'm2')];
  const hasThinking = (body: object): boolean => JSON.stringify(body).includes('"type":"thinking"');

  // As reported of the live API: https://github.com/anomalyco/opencode/issues/48637.
  const bound =
    'messages.1.content.0: Invalid `signature` in `thinking` block. The block is bound to a different conversation. Remove the block, or set `thinking.block_binding.prefix_mismatch_behavior` to "drop_block". The `system` prompt differs from the one this block was created with.';

  test('that thinking is bound to other instructions: it is left out, now and later', async () => {
    server.play(refusing(hasThinking, bound));
    const model = claude(server);
    expect(await warned(model, asking({ messages }))).toEqual(['reasoning-dropped']);
    expect(bodies().map(hasThinking)).toEqual([true, false]);
    expect(await warned(model, asking({ messages }))).toEqual([]);
    expect(bodies().map(hasThinking)).toEqual([true, false, false]);
    // Thoughts of this conversation are carried on.
    server.play(hello);
    const newer = [...messages, thinking('sig-2'), user('Three?', 'm3')];
    expect(await warned(model, asking({ messages: newer }))).toEqual([]);
    expect(JSON.stringify(bodies().at(-1))).toContain('sig-2');
    expect(JSON.stringify(bodies().at(-1))).not.toContain('sig-1');
  });

  test('that a model cannot be made to call a tool', async () => {
    const message = 'tool_choice: forced tool use is not supported for this model.';
    server.play(refusing((body) => body.tool_choice?.type === 'any', message));
    const model = claude(server, { name: 'my-deployment' });
    const request = asking({ tools: [weather], settings: { toolChoice: 'required' } });
    expect(await warned(model, request)).toEqual(['unsupported-setting']);
    expect(await warned(model, request)).toEqual(['unsupported-setting']);
    expect(server.received).toHaveLength(3);
  });

  test('that schemas are too complex together', async () => {
    const message =
      'The compiled grammar is too large, which would cause performance issues. Simplify your tool schemas or reduce the number of strict tools.';
    server.play(refusing((body) => body.tools?.[0]?.strict === true, message));
    const model = claude(server);
    expect(await warned(model, asking({ tools: [weather] }))).toEqual(['unsupported-schema']);
    expect(model.capabilities?.strictSchemas).toBe(false);
    expect(bodies()[1].tools[0].input_schema).toEqual(weather.inputSchema);
  });

  test.each([
    [
      'disabled',
      '"thinking.type.disabled" is not supported for this model. Use "thinking.type.adaptive".',
      'none',
      [undefined],
    ],
    [
      'adaptive',
      'adaptive thinking is not supported on this model',
      'low',
      [{ type: 'enabled', budget_tokens: 2_048 }],
    ],
  ] as const)('that a model does not take %s thinking', async (type, message, effort, then) => {
    server.play(refusing((body) => body.thinking?.type === type, message));
    const model = claude(server, { name: 'my-deployment' });
    expect(await warned(model, asking({ settings: { reasoning: { effort } } }))).toEqual([
      'unsupported-setting',
    ]);
    expect(
      bodies()
        .slice(1)
        .map(({ thinking: sent }) => sent),
    ).toEqual(then);
  });

  test('nothing, where it is about something else, or stays', async () => {
    server.play(refusing(() => true, bound));
    const error = await failure(listen(claude(server), asking({ messages })));
    expect(error).toMatchObject({ reason: 'invalid-request', status: 400 });
    expect(server.received).toHaveLength(2);
    server.play(refusing(() => true, 'messages: too strange'));
    await failure(listen(claude(server)));
    expect(server.received).toHaveLength(3);
  });
});

test('a fallback model takes over after a failure, and no text is there twice', async () => {
  await using broken = await wireServer();
  broken.play(streamAnswer([start(), ...text(0, 'Hal')].join('')));
  const model = fallback(claude(broken), claude(server, { name: 'claude-haiku-5-5' }));
  const events = await listen(model);
  const restart = events.findLastIndex(({ type }) => type === 'restart');
  expect(events.slice(restart + 1)).toMatchObject([
    { type: 'text-delta', delta: 'Hi' },
    { type: 'response', response: { parts: [{ text: 'Hi' }] } },
  ]);
});
