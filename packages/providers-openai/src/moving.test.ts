import {
  Agent,
  content,
  fallback,
  memoryStore,
  Runner,
  tool,
  type Model,
  type Watched,
} from '@agent-functions/core';
import {
  streamAnswer,
  cutAnswer,
  jsonAnswer,
  type HttpAnswer,
} from '@agent-functions/core/testing';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { completed, delta, done, event, responsesItems } from '../test/wire-events.ts';
import { wireServer } from '../test/wire-server.ts';
import { azureOpenAI, openai } from './index.ts';

// Conversations that move from one provider to another, over real HTTP: OpenAI's Responses API, then Azure's Chat
// Completions.

const first = await wireServer();
const second = await wireServer();
afterAll(() => first.close());
afterAll(() => second.close());
beforeEach(() => {
  first.received.length = 0;
  second.received.length = 0;
});

const one = openai('gpt-5-mini', { baseURL: `${first.url}/v1`, apiKey: 'k', api: 'responses' });
const two = azureOpenAI('mini', { endpoint: second.url, apiKey: 'k', apiVersion: '2024-10-21' });

const text = 'It rains in Köln.';
const { reasoning } = responsesItems;
const message = {
  ...responsesItems.message,
  content: [{ type: 'output_text', text, annotations: [] }],
};
const saying = [
  event({ type: 'response.output_item.added', output_index: 0, item: { ...message, content: [] } }),
  event({ type: 'response.output_text.delta', output_index: 0, delta: 'It rains ' }),
  event({ type: 'response.output_text.delta', output_index: 0, delta: 'in Köln.' }),
];
const whole = streamAnswer(
  [...saying, event({ type: 'response.output_item.done', output_index: 0, item: message })].join(
    '',
  ) + completed([message]),
);
const chatWhole = streamAnswer(
  [delta({ content: 'It rains ' }), delta({ content: 'in Köln.' }), delta({}, 'stop'), done].join(
    '',
  ),
);

/** What a watcher shows at the end: deltas, without those that were void. */
function shown(events: readonly Watched[]): string {
  let seen = '';
  for (const one of events) {
    if (one.type === 'void') seen = '';
    if (one.type === 'text-delta') seen += one.delta;
  }
  return seen;
}

describe('fallback over HTTP', () => {
  const failing: readonly [string, HttpAnswer, string][] = [
    [
      '429',
      jsonAnswer({ error: { message: 'slow', code: 'rate_limit_exceeded' } }, 429),
      'rate-limit',
    ],
    ['500', jsonAnswer({ error: { message: 'sorry' } }, 500), 'overloaded'],
    ['cut before the first delta', cutAnswer(event({ type: 'response.created' })), 'network'],
    ['cut after the first delta', cutAnswer(saying.slice(0, 2).join('')), 'network'],
    ['ended after two deltas', streamAnswer(saying.join('')), 'invalid-response'],
  ];

  it.each(failing)('goes on where the first model fails: %s', async (_, answer, reason) => {
    first.play(answer);
    second.play(chatWhole);
    const modelSettings = { retry: { maxRetries: 0 } };
    const agent = new Agent({ name: 'bot', model: fallback(one, two), modelSettings });
    const stream = new Runner(agent, { store: memoryStore() }).stream('How is the weather?');
    const events: Watched[] = [];
    for await (const one of stream) events.push(one);
    expect((await stream.result).response).toBe(text);
    expect(shown(events)).toBe(text);
    expect(events.find(({ type }) => type === 'model-fallback')).toMatchObject({
      from: 'openai/gpt-5-mini',
      to: 'azure_openai/mini',
      reason,
    });
    expect(events.find(({ type }) => type === 'model-response')).toMatchObject({
      provider: 'azure_openai',
      attempts: [{ provider: 'openai', reason }],
    });
    expect([first.received.length, second.received.length]).toEqual([1, 1]);
  });

  it('gives a reader of the text no word twice', async () => {
    first.play(cutAnswer(saying.slice(0, 2).join('')));
    second.play(chatWhole);
    const modelSettings = { retry: { maxRetries: 0 } };
    const agent = new Agent({ name: 'bot', model: fallback(one, two), modelSettings });
    let read = '';
    const onRestart = (): void => void (read = '');
    for await (const piece of new Runner(agent).stream('Go').textStream({ onRestart }))
      read += piece;
    expect(read).toBe(text);
  });
});

it('passes the vendor’s own tools, and gives back what they did', async () => {
  const search = {
    id: 'ws_1',
    type: 'web_search_call',
    status: 'completed',
    action: { type: 'search', query: 'weather' },
  };
  first.play(
    streamAnswer(
      [search, message]
        .map((item, output_index) =>
          event({ type: 'response.output_item.done', output_index, item }),
        )
        .join('') + completed([search, message]),
    ),
  );
  const store = memoryStore();
  const modelSettings = {
    providerOptions: {
      openai: {
        tools: [{ type: 'web_search' }],
        include: ['web_search_call.action.sources'],
        prompt_cache_key: 'tenant-1',
        service_tier: 'flex',
      },
    },
  };
  const runner = new Runner(new Agent({ name: 'bot', model: one, modelSettings }), { store });
  await runner.run('Search.', { sessionId: 's' });
  expect(JSON.parse(first.received[0]?.body ?? '')).toMatchObject({
    tools: [{ type: 'web_search' }],
    include: ['reasoning.encrypted_content', 'web_search_call.action.sources'],
    prompt_cache_key: 'tenant-1',
    service_tier: 'flex',
    store: false,
  });
  await runner.run('And now?', { sessionId: 's' });
  const { id: _, ...rest } = search;
  expect(JSON.parse(first.received[1]?.body ?? '').input).toContainEqual(rest);
});

describe('a session that goes on with another provider', () => {
  const radar = tool({
    name: 'radar',
    description: 'The radar of a city',
    parameters: z.object({ city: z.string() }),
    effect: 'read',
    execute: ({ city }) =>
      content([
        { type: 'text', text: `Rain over ${city}.` },
        { type: 'file', mediaType: 'image/png', data: 'UkFEQVI=' },
      ]),
  });
  const call = { ...responsesItems.callA, name: 'radar' };
  const calling = streamAnswer(
    [reasoning, call]
      .map((item, output_index) => event({ type: 'response.output_item.done', output_index, item }))
      .join('') + completed([reasoning, call]),
  );
  const bot = (model: Model): Agent => new Agent({ name: 'bot', model, tools: [radar] });

  it('keeps text, images and results of tools, and leaves behind what is the vendor’s', async () => {
    const store = memoryStore();
    const session = { sessionId: 's' };
    let asked = 0;
    first.play((...wire) => (asked++ === 0 ? calling : whole)(...wire));
    second.play(chatWhole);
    const question = {
      role: 'user',
      parts: [
        { type: 'text', text: 'What is this?' },
        { type: 'file', mediaType: 'image/png', data: 'SU1BR0U=' },
      ],
    } as const;
    await new Runner(bot(one), { store }).run([question], session);
    expect(first.received[1]?.body).toContain(reasoning.encrypted_content);

    await new Runner(bot(two), { store }).run('And now?', session);
    const moved = second.received[0]?.body ?? '';
    for (const kept of ['What is this?', 'SU1BR0U=', 'Rain over Köln.', text, 'And now?']) {
      expect(moved).toContain(kept);
    }
    for (const own of [reasoning.encrypted_content, 'They want weather.', 'rs_1', 'fc_1']) {
      expect(moved).not.toContain(own);
    }

    await new Runner(bot(one), { store }).run('And back?', session);
    const back = first.received.at(-1)?.body ?? '';
    // The first vendor gets its own again, and what the second said as text.
    for (const kept of [reasoning.encrypted_content, 'UkFEQVI=', text, 'And now?', 'And back?']) {
      expect(back).toContain(kept);
    }
  });

  it('of which a fallback takes the middle of a turn', async () => {
    let asked = 0;
    first.play((...wire) => (asked++ === 0 ? calling : jsonAnswer({ error: {} }, 500))(...wire));
    second.play(chatWhole);
    const model = fallback(one, two);
    const modelSettings = { retry: { maxRetries: 0 } };
    const agent = new Agent({ name: 'bot', model, tools: [radar], modelSettings });
    expect((await new Runner(agent).run('How is the weather?')).response).toBe(text);
    const moved = second.received[0]?.body ?? '';
    expect(moved).toContain('Rain over Köln.');
    expect(moved).not.toContain(reasoning.encrypted_content);
  });
});
