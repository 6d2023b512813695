import type { Message, ModelRequest, ModelStreamEvent, Part } from '@agent-functions/core';
import { streamAnswer, type WireServer } from '@agent-functions/core/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { asking, claude, listen, user, weather } from '../test/ask.ts';
import { start, stop, text } from '../test/wire-events.ts';
import { wireServer } from '../test/wire-server.ts';

// Over HTTP, so that each body goes through the check of test/request-faults.ts.

let server: WireServer;
beforeEach(async () => {
  server = await wireServer();
  server.play(streamAnswer([start(), ...text(0, 'Hi'), ...stop('end_turn')].join('')));
});
afterEach(() => server.close());

type Options = Parameters<typeof claude>[1];

async function send(request: Partial<ModelRequest>, options?: Options) {
  const events = await listen(
    claude(server, { promptCaching: false, ...options }),
    asking(request),
  );
  return { body: JSON.parse(server.received.at(-1)?.body ?? ''), warnings: warnings(events) };
}

function warnings(events: readonly ModelStreamEvent[]): string[] {
  return events.flatMap((event) => (event.type === 'warning' ? [event.message] : []));
}

const said = (...parts: Part[]): Message => ({
  id: 'a1',
  runId: 'run_1',
  role: 'assistant',
  parts,
});
const tool = (...parts: Part[]): Message => ({ id: 't1', runId: 'run_1', role: 'tool', parts });
const words = (value: string): Part => ({ type: 'text', text: value });
const called = (callId: string, anthropic?: Part['providerData']): Part => ({
  type: 'tool-call',
  callId,
  toolName: 'weather',
  input: { city: callId },
  providerData: anthropic,
});
const result = (
  callId: string,
  more: Partial<Extract<Part, { type: 'tool-result' }>> = {},
): Part => ({
  type: 'tool-result',
  callId,
  toolName: 'weather',
  output: { type: 'json', value: `rain in ${callId}` },
  ...more,
});

describe('a whole request', () => {
  test('has the fields that the API demands, in its words', async () => {
    const { body, warnings: said } = await send({
      instructions: 'Be brief.',
      tools: [weather],
      settings: { stop: ['END', '\n'], toolChoice: 'auto', parallelToolCalls: false },
    });
    expect(body).toEqual({
      model: 'claude-sonnet-5-5',
      max_tokens: 64_000,
      system: [{ type: 'text', text: 'Be brief.' }],
      messages: [{ role: 'user', content: [{ type: 'text', text: 'Hello' }] }],
      tools: [
        {
          name: 'weather',
          description: 'The weather in a city',
          input_schema: { ...weather.inputSchema, additionalProperties: false },
          strict: true,
        },
      ],
      tool_choice: { type: 'auto', disable_parallel_tool_use: true },
      stop_sequences: ['END'],
      stream: true,
    });
    expect(said).toEqual([expect.stringContaining('stop of white space')]);
  });

  test('says what it cannot say', async () => {
    const { body, warnings: said } = await send({
      settings: { temperature: 0.1, topP: 0.9, seed: 7 },
    });
    expect(Object.keys(body)).toEqual(['model', 'max_tokens', 'messages', 'stream']);
    expect(said.map((one) => /The setting (\w+) was not sent/.exec(one)?.[1])).toEqual([
      'temperature',
      'topP',
      'seed',
    ]);
  });

  test('takes extras: of the call, then of the model; beta features are a header', async () => {
    const providerOptions = {
      anthropic: { service_tier: 'auto', metadata: { user_id: 'u' }, betas: ['b-2'] },
      openai: { store: true },
    };
    const extraBody = { metadata: { user_id: 'v' }, inference_geo: 'eu' };
    const options = { extraBody, betas: ['b-1', 'b-2'], headers: { 'x-team': 'blue' } };
    const { body } = await send({ settings: { providerOptions } }, options);
    expect(body).toMatchObject({
      service_tier: 'auto',
      metadata: { user_id: 'v' },
      inference_geo: 'eu',
    });
    expect(body).not.toHaveProperty('betas');
    expect(body).not.toHaveProperty('store');
    const { headers, url } = server.received[0] ?? {};
    expect(url).toBe('/v1/messages');
    expect(headers).toMatchObject({
      'anthropic-beta': 'b-1,b-2',
      'anthropic-version': '2026-10-21',
      'x-team': 'blue',
      authorization: 'Bearer sk-ant-canary-0123456789',
    });
  });

  test.each([
    [{ settings: { maxTokens: 9 } }, {}, 9],
    [{}, { maxTokens: 7 }, 7],
    [{ settings: { streaming: false } }, { name: 'claude-haiku-4-5' }, 16_000],
    [{}, { name: 'claude-opus-4-1' }, 32_000],
  ])('%j with %j asks for at most %i tokens', async (request, options, most) => {
    server.play((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end([start(), ...stop('end_turn')].join(''));
    });
    if ('settings' in request && 'streaming' in request.settings) {
      server.play((response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end('{"type":"message","content":[],"stop_reason":"end_turn"}');
      });
    }
    expect((await send(request, options)).body.max_tokens).toBe(most);
  });
});

describe('a conversation', () => {
  test('has its results first and next to their calls, whatever stands between', async () => {
    const { body, warnings: said_ } = await send({
      tools: [weather],
      messages: [
        user('Two cities?'),
        said(words('I look.'), called('c1', { anthropic: { id: 'toolu_1' } }), called('c2')),
        user('Hurry!', 'm2'),
        tool(result('c2', { isError: true })),
        tool(result('c1')),
        said(words('Rain.')),
        user('Thanks', 'm3'),
      ],
    });
    expect(said_).toEqual([]);
    const [, calls, results, answered] = body.messages;
    expect(calls.content).toMatchObject([{ type: 'text' }, { id: 'toolu_1' }, { id: 'run1_c2' }]);
    expect(results.content).toEqual([
      { type: 'tool_result', tool_use_id: 'toolu_1', content: 'rain in c1' },
      { type: 'tool_result', tool_use_id: 'run1_c2', is_error: true, content: 'rain in c2' },
      { type: 'text', text: 'Hurry!' },
    ]);
    expect(answered).toEqual({ role: 'assistant', content: [{ type: 'text', text: 'Rain.' }] });
  });

  test('names a call without a result, and says a result without a call', async () => {
    const { body, warnings: said_ } = await send({
      tools: [weather],
      messages: [tool(result('lost')), user('Go on.'), said(called('open'))],
    });
    expect(body.messages).toMatchObject([
      {
        role: 'user',
        content: [{ text: 'The result of weather: rain in lost' }, { text: 'Go on.' }],
      },
      { role: 'assistant', content: [{ type: 'tool_use' }] },
      { role: 'user', content: [{ type: 'tool_result', is_error: true }] },
    ]);
    expect(said_).toEqual([
      expect.stringContaining('has no call in this conversation'),
      expect.stringContaining('has no result in this conversation'),
    ]);
  });

  test('begins and ends with the user, and alternates', async () => {
    const { body } = await send({
      messages: [
        said(words('Hello.')),
        user('A'),
        user('B', 'm2'),
        said(words('C')),
        said(words('D')),
      ],
    });
    expect(body.messages).toEqual([
      { role: 'user', content: [{ type: 'text', text: '(Earlier messages are not shown.)' }] },
      { role: 'assistant', content: [{ type: 'text', text: 'Hello.' }] },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'A' },
          { type: 'text', text: 'B' },
        ],
      },
      {
        role: 'assistant',
        content: [
          { type: 'text', text: 'C' },
          { type: 'text', text: 'D' },
        ],
      },
      { role: 'user', content: [{ type: 'text', text: 'Continue.' }] },
    ]);
  });

  test('of nothing at all is still a question', async () => {
    expect((await send({ messages: [] })).body.messages).toHaveLength(1);
    expect((await send({ messages: [user(' \n')] })).body.messages).toHaveLength(1);
  });

  const thought = { type: 'thinking', thinking: 'Hm.', signature: 'sig-1', extra: [1] };
  const redacted = { type: 'redacted_thinking', data: 'opaque' };
  const reasoning = (data: Part['providerData']): Part => ({
    type: 'reasoning',
    text: 'Hm.',
    providerData: data,
  });

  test('carries thinking back untouched, in its place; that of others stays behind', async () => {
    const { body } = await send({
      messages: [
        user('?'),
        said(
          reasoning({ anthropic: thought }),
          reasoning({ anthropic: redacted }),
          reasoning({ openai: { type: 'reasoning', encrypted_content: 'gAAAA' } }),
          reasoning(undefined),
          words('So:'),
          reasoning({ anthropic: { ...thought, signature: 'sig-2' } }),
          called('c1'),
        ),
        tool(result('c1')),
      ],
      tools: [weather],
    });
    expect(body.messages[1].content).toMatchObject([
      thought,
      redacted,
      { type: 'text' },
      { ...thought, signature: 'sig-2' },
      { type: 'tool_use' },
    ]);
    expect(JSON.stringify(body)).not.toContain('gAAAA');
  });

  test('leaves out thinking that was cut: unsigned, or with nothing after it', async () => {
    const unsigned = reasoning({ anthropic: { ...thought, signature: '' } });
    const messages = [
      user('?'),
      said(unsigned, words('A'), reasoning({ anthropic: thought })),
      user('!', 'm2'),
    ];
    const { body } = await send({ messages });
    expect(body.messages[1].content).toEqual([{ type: 'text', text: 'A' }]);
    const alone = await send({
      messages: [user('?'), said(reasoning({ anthropic: thought })), user('!', 'm2')],
    });
    expect(alone.body.messages).toHaveLength(1);
  });

  test('wraps inputs that are no objects, as the vendor advises', async () => {
    const broken = { ...called('c1'), input: '{"city": Oslo' } as Part;
    const listed = { ...called('c2'), input: ['Oslo'] } as Part;
    const { body } = await send({
      tools: [weather],
      messages: [user('?'), said(broken, listed), tool(result('c1'), result('c2'))],
    });
    expect(body.messages[1].content).toMatchObject([
      { input: { INVALID_JSON: '{"city": Oslo' } },
      { input: { INVALID_JSON: '["Oslo"]' } },
    ]);
  });
});

describe('files', () => {
  const file = (mediaType: string, more: object): Part => ({ type: 'file', mediaType, ...more });
  const sent: readonly (readonly [string, Part, object])[] = [
    [
      'an image',
      file('image/png', { data: 'AAAA' }),
      { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } },
    ],
    [
      'a JPEG by its other name',
      file('image/jpg', { data: 'AAAA' }),
      { type: 'image', source: { type: 'base64', media_type: 'image/jpeg', data: 'AAAA' } },
    ],
    [
      'the address of an image',
      file('image/webp', { url: 'https://example.com/a' }),
      { type: 'image', source: { type: 'url', url: 'https://example.com/a' } },
    ],
    [
      'a PDF',
      file('application/pdf', { data: 'AAAA', name: 'a.pdf' }),
      {
        type: 'document',
        source: { type: 'base64', media_type: 'application/pdf', data: 'AAAA' },
        title: 'a.pdf',
      },
    ],
    [
      'the address of a PDF',
      file('application/pdf', { url: 'https://example.com/a.pdf' }),
      { type: 'document', source: { type: 'url', url: 'https://example.com/a.pdf' } },
    ],
    [
      'a text',
      file('text/csv; charset=utf-8', { data: btoa('a,b') }),
      { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'a,b' } },
    ],
    [
      'JSON',
      file('application/json', { data: btoa('{}') }),
      { type: 'document', source: { type: 'text', media_type: 'text/plain', data: '{}' } },
    ],
    [
      'an uploaded file, with its options',
      file('application/pdf', {
        providerData: {
          anthropic: { file_id: 'file_1', title: 'T', citations: { enabled: true } },
        },
      }),
      {
        type: 'document',
        source: { type: 'file', file_id: 'file_1' },
        title: 'T',
        citations: { enabled: true },
      },
    ],
  ];
  test.each(sent)('%s is sent', async (_, part, block) => {
    const { body, warnings: said_ } = await send({ messages: [{ ...user(''), parts: [part] }] });
    expect(body.messages[0].content).toEqual([block]);
    expect(said_).toEqual([]);
  });

  test.each([
    ['image/svg+xml', { data: 'AAAA' }, 'JPEG, PNG, GIF or WebP'],
    ['image/png', { url: 'http://example.com/a' }, 'not https'],
    ['image/png', { url: 'file:///etc/passwd' }, 'not https'],
    ['image/png', {}, 'neither data nor an address'],
    ['text/plain', { url: 'https://example.com/a' }, 'does not fetch text files'],
    ['text/plain', { data: '/w==' }, 'not base64 of UTF-8'],
    ['audio/wav', { data: 'AAAA' }, 'takes images, PDFs and text'],
  ])('%s with %j is a warning', async (mediaType, more, why) => {
    const { body, warnings: said_ } = await send({
      messages: [{ ...user('?'), parts: [words('?'), file(mediaType, more)] }],
    });
    expect(body.messages[0].content).toEqual([{ type: 'text', text: '?' }]);
    expect(said_).toEqual([expect.stringContaining(why)]);
  });

  test('are taken of tools, but not of failed ones, nor of the model', async () => {
    const picture = file('image/png', { data: 'AAAA' });
    const output = { type: 'content', parts: [words('Look:'), picture] } as const;
    const { body, warnings: said_ } = await send({
      tools: [weather],
      messages: [
        user('?'),
        said(picture, called('c1'), called('c2')),
        tool(result('c1', { output }), result('c2', { output, isError: true })),
      ],
    });
    const [one, two] = body.messages[2].content;
    expect(one.content).toMatchObject([{ type: 'text' }, { type: 'image' }]);
    expect(two).toMatchObject({ is_error: true, content: [{ type: 'text', text: 'Look:' }] });
    expect(said_).toHaveLength(2);
  });
});

describe('how much to think', () => {
  test.each([
    ['claude-opus-5-5', 'high', { type: 'adaptive', display: 'summarized' }, 'high', 0],
    ['claude-opus-5-5', 'none', undefined, 'low', 1],
    ['claude-sonnet-5-5', 'minimal', { type: 'adaptive', display: 'summarized' }, 'low', 0],
    ['claude-sonnet-5-5', 'none', { type: 'between_tools' }, undefined, 0],
    ['claude-haiku-5-5', 'none', { type: 'disabled' }, undefined, 0],
    ['claude-opus-4-6', 'medium', { type: 'adaptive', display: 'summarized' }, 'medium', 0],
    ['claude-haiku-4-5', 'medium', { type: 'enabled', budget_tokens: 8_192 }, undefined, 0],
    ['claude-haiku-4-5', 'none', undefined, undefined, 0],
    ['claude-3-5-haiku-20241022', 'low', undefined, undefined, 1],
    ['my-deployment', 'low', { type: 'adaptive', display: 'summarized' }, 'low', 0],
  ] as const)('%s at %s', async (name, effort, thinking, wireEffort, warned) => {
    const { body, warnings: said_ } = await send({ settings: { reasoning: { effort } } }, { name });
    expect(body.thinking).toEqual(thinking);
    expect(body.output_config?.effort).toBe(wireEffort);
    expect(said_).toHaveLength(warned);
  });

  test('stays below the tokens of the answer, and is left out where there is no room', async () => {
    const name = 'claude-haiku-4-5';
    const settings = { maxTokens: 10_000, reasoning: { effort: 'high' } } as const;
    expect((await send({ settings }, { name })).body.thinking.budget_tokens).toBe(8_000);
    const small = await send({ settings: { ...settings, maxTokens: 1_100 } }, { name });
    expect(small.body.thinking).toBeUndefined();
    expect(small.warnings).toEqual([expect.stringContaining('1,280 maxTokens')]);
  });

  test('can be said in the vendor’s own words', async () => {
    const anthropic = { thinking: { type: 'enabled', budget_tokens: 2_000 } };
    const settings = { reasoning: { effort: 'low' }, providerOptions: { anthropic } } as const;
    expect((await send({ settings })).body.thinking).toEqual(anthropic.thinking);
  });
});

describe('a choice among tools', () => {
  test.each([
    ['claude-opus-4-6', 'required', { type: 'any' }, 0],
    ['claude-opus-4-6', { name: 'weather' }, { type: 'tool', name: 'weather' }, 0],
    ['claude-opus-4-6', 'none', { type: 'none' }, 0],
    ['claude-opus-5-5', 'required', undefined, 1],
    ['claude-opus-5-5', 'auto', { type: 'auto' }, 0],
  ] as const)('%s: %j', async (name, toolChoice, choice, warned) => {
    const { body, warnings: said_ } = await send(
      { tools: [weather], settings: { toolChoice } },
      { name },
    );
    expect(body.tool_choice).toEqual(choice);
    expect(said_).toHaveLength(warned);
  });

  test('is not made without tools, and takes the thinking of a model with a budget', async () => {
    expect((await send({ settings: { toolChoice: 'required' } })).body.tool_choice).toBeUndefined();
    const settings = { toolChoice: 'required', reasoning: { effort: 'low' } } as const;
    const { body, warnings: said_ } = await send(
      { tools: [weather], settings },
      { name: 'claude-haiku-4-5' },
    );
    expect(body.thinking).toBeUndefined();
    expect(said_).toEqual([expect.stringContaining('where a tool is forced')]);
  });
});

test('a model with a budget does not begin to think after calls that it made without', async () => {
  const midway = { tools: [weather], settings: { reasoning: { effort: 'low' } } } as const;
  const name = 'claude-haiku-4-5';
  const loop = [user('?'), said(called('c1')), tool(result('c1'))];
  const { body, warnings: said_ } = await send({ ...midway, messages: loop }, { name });
  expect(body.thinking).toBeUndefined();
  expect(said_).toEqual([expect.stringContaining('after calls made without thinking')]);
  const over = await send(
    { ...midway, messages: [...loop, said(words('Rain.')), user('?', 'm2')] },
    { name },
  );
  expect(over.body.thinking).toEqual({ type: 'enabled', budget_tokens: 2_048 });
});

test('tools that the history called are declared, and forbidden, where the request has none', async () => {
  const { body } = await send({
    messages: [user('?'), said(called('c1'), called('c2')), tool(result('c1'), result('c2'))],
  });
  expect(body.tools).toEqual([{ name: 'weather', input_schema: { type: 'object' } }]);
  expect(body.tool_choice).toEqual({ type: 'none' });
});

describe('schemas', () => {
  const output = (schema: ModelRequest['tools'][number]['inputSchema']) => ({
    name: 'report',
    schema,
    strict: true,
  });
  const answer = {
    type: 'object',
    properties: { c: { type: 'number', minimum: 0 } },
    required: ['c'],
  };

  test('of an output are a format, beside strict tools', async () => {
    const { body } = await send({ tools: [weather], output: output(answer) });
    expect(body.output_config.format).toEqual({
      type: 'json_schema',
      schema: {
        ...answer,
        properties: { c: { type: 'number', description: '{minimum: 0}' } },
        additionalProperties: false,
      },
    });
    expect(body.tools[0].strict).toBe(true);
  });

  test.each([
    ['a map', 'claude-sonnet-5-5', { type: 'object', additionalProperties: { type: 'string' } }],
    ['an old model', 'claude-sonnet-4-20250514', answer],
  ])(
    'that cannot be guaranteed (%s) go into the instructions, with a warning',
    async (_, name, schema) => {
      const { body, warnings: said_ } = await send(
        { instructions: 'Be brief.', output: output(schema) },
        { name },
      );
      expect(body.output_config).toBeUndefined();
      expect(body.system).toHaveLength(2);
      expect(body.system[1].text).toContain(JSON.stringify(schema));
      expect(said_).toEqual([expect.stringContaining('put into the instructions')]);
    },
  );

  test('of tools are strict as long as the limits of a request allow', async () => {
    const many = Array.from({ length: 25 }, (_, index) => ({ ...weather, name: `tool_${index}` }));
    const { body } = await send({ tools: many });
    expect(body.tools.filter((one: { strict?: boolean }) => one.strict === true)).toHaveLength(20);
    const properties = Object.fromEntries(
      Array.from({ length: 13 }, (_, index) => [`p${index}`, { type: 'string' }]),
    );
    const loose = { ...weather, inputSchema: { type: 'object', properties } };
    const two = await send({
      tools: [loose, { ...loose, name: 'other' }, { ...weather, name: 'third' }],
    });
    expect(two.body.tools.map((one: { strict?: boolean }) => one.strict)).toEqual([
      true,
      undefined,
      true,
    ]);
  });
});

describe('prompt caching', () => {
  const mark = { type: 'ephemeral' };
  const history = [user('One'), said(words('Two')), user('Three', 'm3')];

  function marks(body: { tools?: object[]; system?: object[]; messages: { content: object[] }[] }) {
    const of = (blocks: readonly object[] = []) =>
      blocks.map((one) => ('cache_control' in one ? one.cache_control : 0));
    return [of(body.tools), of(body.system), ...body.messages.map(({ content }) => of(content))];
  }

  test('marks tools, instructions and the last two turns of the user', async () => {
    const request = {
      instructions: 'Be brief.',
      tools: [weather, { ...weather, name: 'clock' }],
      messages: history,
    };
    const { body } = await send(request, { promptCaching: true });
    expect(marks(body)).toEqual([[0, mark], [mark], [mark], [0], [mark]]);
  });

  test('leaves a single question unmarked: it is not asked again', async () => {
    const { body } = await send({ instructions: 'Be brief.' }, { promptCaching: undefined });
    expect(marks(body)).toEqual([[], [mark], [0]]);
  });

  test('keeps for an hour where that is asked, and marks nothing where it is off', async () => {
    const hour = await send({ messages: history }, { promptCaching: '1h' });
    expect(marks(hour.body)).toEqual([
      [],
      [],
      [{ ...mark, ttl: '1h' }],
      [0],
      [{ ...mark, ttl: '1h' }],
    ]);
    expect(JSON.stringify((await send({ messages: history })).body)).not.toContain('cache_control');
  });
});

test('a schema that refers to what it does not hold is warned of', async () => {
  const inputSchema = { type: 'object', properties: { place: { $ref: '#/$defs/Place' } } };
  const { warnings: said } = await send({ tools: [{ ...weather, inputSchema }] });
  expect(said).toEqual([
    'The schema of the tool weather refers to "#/$defs/Place", which it does not hold: the model was not told what may stand there. Put the definition into the schema.',
  ]);
});
