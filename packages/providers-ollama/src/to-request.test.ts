import type { Message, ModelRequest, ModelStreamEvent } from '@agent-functions/core';
import { expect, it } from 'vitest';
import { asking, user, weather } from '../test/asking.ts';
import { requestFaults } from '../test/request-faults.ts';
import { toRequest, type RequestContext, type WireRequest } from './to-request.ts';

const plain: RequestContext = {
  model: 'qwen3',
  keepAlive: undefined,
  numCtx: undefined,
  think: undefined,
  extraBody: {},
};

function convert(request: Partial<ModelRequest> = {}, context: Partial<RequestContext> = {}) {
  const wire = toRequest(asking(request), { ...plain, ...context });
  expect(requestFaults(JSON.parse(JSON.stringify(wire.body)))).toEqual([]);
  return wire;
}

function messages({ body }: WireRequest): unknown {
  return body['messages'];
}

function said(warnings: readonly Extract<ModelStreamEvent, { type: 'warning' }>[]): unknown {
  return warnings.map(({ code, message }) => [code, message]);
}

function message(role: Message['role'], ...parts: Message['parts']): Message {
  return { id: 'm', runId: 'run_1', role, parts };
}

it('says no more than it must', () => {
  expect(convert()).toEqual({
    body: { model: 'qwen3', messages: [{ role: 'user', content: 'Hello' }], stream: true },
    warnings: [],
  });
});

it('has a place for every setting', () => {
  const settings = {
    temperature: 0.5,
    topP: 0.9,
    maxTokens: 100,
    stop: ['END'],
    seed: 7,
    streaming: false,
  };
  const { body, warnings } = convert(
    { instructions: 'Be brief.', settings },
    { keepAlive: '10m', numCtx: 16_384, think: true },
  );
  expect(body).toEqual({
    model: 'qwen3',
    messages: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Hello' },
    ],
    think: true,
    keep_alive: '10m',
    options: {
      temperature: 0.5,
      top_p: 0.9,
      num_predict: 100,
      stop: ['END'],
      seed: 7,
      num_ctx: 16_384,
    },
    stream: false,
  });
  expect(warnings).toEqual([]);
});

it('puts provider options and the extra body over what it made', () => {
  const settings = {
    temperature: 0.5,
    providerOptions: { ollama: { options: { top_k: 20 }, x_a: 1 }, other: { x_b: 2 } },
  };
  const { body } = convert({ settings }, { extraBody: { options: { min_p: 0.1 }, x_a: 3 } });
  expect(body).toMatchObject({ options: { temperature: 0.5, top_k: 20, min_p: 0.1 }, x_a: 3 });
  expect(body).not.toHaveProperty('x_b');
});

it('sends calls, then their results by the name of the tool', () => {
  const call = (callId: string, city: string) =>
    ({ type: 'tool-call', callId, toolName: 'weather', input: { city } }) as const;
  const result = (callId: string, value: string) =>
    ({
      type: 'tool-result',
      callId,
      toolName: 'weather',
      output: { type: 'json', value: { sky: value } },
    }) as const;
  const wire = convert({
    tools: [weather],
    messages: [
      user('How is it?'),
      message(
        'assistant',
        { type: 'text', text: 'Let me look.' },
        call('1', 'Oslo'),
        call('2', 'Rome'),
      ),
      message('tool', result('1', 'rain'), result('2', 'sun')),
    ],
  });
  expect(wire.body).toEqual({
    model: 'qwen3',
    messages: [
      { role: 'user', content: 'How is it?' },
      {
        role: 'assistant',
        content: 'Let me look.',
        tool_calls: [
          { function: { name: 'weather', arguments: { city: 'Oslo' } } },
          { function: { name: 'weather', arguments: { city: 'Rome' } } },
        ],
      },
      { role: 'tool', tool_name: 'weather', content: '{"sky":"rain"}' },
      { role: 'tool', tool_name: 'weather', content: '{"sky":"sun"}' },
    ],
    tools: [
      {
        type: 'function',
        function: {
          name: 'weather',
          description: 'The weather in a city',
          parameters: {
            type: 'object',
            properties: { city: { type: 'string' } },
            required: ['city'],
          },
        },
      },
    ],
    stream: true,
  });
});

it('wraps arguments that are no object, which the server could not read', () => {
  const wire = convert({
    messages: [
      message('assistant', {
        type: 'tool-call',
        callId: '1',
        toolName: 'f',
        input: '{"city": Oslo',
      }),
      message('tool', {
        type: 'tool-result',
        callId: '1',
        toolName: 'f',
        output: { type: 'json', value: 'no JSON' },
        isError: true,
      }),
    ],
  });
  expect(messages(wire)).toMatchObject([
    { tool_calls: [{ function: { arguments: { invalid_json: '{"city": Oslo' } } }] },
    { content: 'no JSON' },
  ]);
});

it('gives its own thoughts back, and no other vendor’s', () => {
  const thought = (vendor: string) =>
    ({ type: 'reasoning', text: `by ${vendor}`, providerData: { [vendor]: { x: 1 } } }) as const;
  const answer = { type: 'text', text: 'So.' } as const;
  const wire = convert({
    messages: [message('assistant', thought('ollama'), thought('other'), answer)],
  });
  expect(messages(wire)).toEqual([{ role: 'assistant', content: 'So.', thinking: 'by ollama' }]);
});

it('says summaries, refusals and system messages, and leaves out an answer without words', () => {
  const wire = convert({
    messages: [
      message('system', { type: 'text', text: 'Rules' }),
      message('user', { type: 'summary', text: 'They met.', replaces: 4 }),
      message('assistant', { type: 'refusal', text: 'No.' }),
      message('assistant', { type: 'reasoning', text: 'hm' }),
    ],
  });
  expect(messages(wire)).toEqual([
    { role: 'system', content: 'Rules' },
    { role: 'user', content: 'They met.' },
    { role: 'assistant', content: 'No.' },
  ]);
});

const see = { type: 'text', text: 'See' } as const;

it('sends images as base64, of users and of tools', () => {
  const image = { type: 'file', mediaType: 'image/png', data: 'iVBORw0K' } as const;
  const wire = convert({
    messages: [
      message('user', see, image),
      message('assistant', { type: 'tool-call', callId: '1', toolName: 'map', input: {} }),
      message('tool', {
        type: 'tool-result',
        callId: '1',
        toolName: 'map',
        output: { type: 'content', parts: [{ type: 'text', text: 'A map:' }, image] },
      }),
    ],
  });
  expect(messages(wire)).toMatchObject([
    { content: 'See', images: ['iVBORw0K'] },
    {},
    { role: 'tool', content: 'A map:', images: ['iVBORw0K'] },
  ]);
  expect(wire.warnings).toEqual([]);
});

it.each([
  [
    { type: 'file', mediaType: 'image/png', url: 'https://e.org/a.png' },
    'Ollama takes images as base64 data, and no URL is fetched for it. Put the image into data.',
  ],
  [
    { type: 'file', mediaType: 'application/pdf', data: 'JVBERi0x' },
    'Ollama takes images and text. Put its text into the message.',
  ],
] as const)('says to the app and to the model that a file was left out: %j', (part, why) => {
  const wire = convert({ messages: [message('user', see, part)] });
  expect(messages(wire)).toEqual([
    { role: 'user', content: `See\n[A file (${part.mediaType}) cannot be shown here.]` },
  ]);
  expect(said(wire.warnings)).toEqual([
    [
      'unsupported-part',
      `A file (${part.mediaType}) in a user message was not sent to the model: ${why}`,
    ],
  ]);
});

const output = {
  name: 'report',
  schema: { type: 'object', properties: { celsius: { type: 'number' } } },
  strict: true,
};

it('holds the answer to its form by format', () => {
  const wire = convert({ output });
  expect(wire.body['format']).toEqual(output.schema);
  expect(wire.warnings).toEqual([]);
});

it('asks for the form in words beside tools, which a format would shut out', () => {
  const wire = convert({ output, tools: [weather], instructions: 'Be brief.' });
  expect(wire.body).not.toHaveProperty('format');
  expect(messages(wire)).toMatchObject([
    { role: 'system', content: expect.stringMatching(/^Be brief\.\n\nCall tools.*"celsius"/s) },
    {},
  ]);
  expect(said(wire.warnings)).toEqual([
    [
      'unsupported-setting',
      "Ollama's API cannot say the form of the answer (report) beside tools. It was asked for in words; the answer is checked, but not enforced.",
    ],
  ]);
  const unshown = convert({ output, tools: [weather], settings: { toolChoice: 'none' } });
  expect(unshown.body).toHaveProperty('format');
});

const clock = { ...weather, name: 'clock' };

it.each([
  ['auto', ['weather', 'clock'], []],
  ['none', undefined, ["toolChoice: 'none'. No tool is shown."]],
  [
    'required',
    ['weather', 'clock'],
    ["toolChoice: 'required'. The model may answer without calling one."],
  ],
  [
    { name: 'clock' },
    ['clock'],
    ['toolChoice: clock. Only this tool is shown. The model may answer without calling one.'],
  ],
] as const)('has no choice of tools, and says so: %j', (toolChoice, names, sentences) => {
  const { body, warnings } = convert({ tools: [weather, clock], settings: { toolChoice } });
  const tools: unknown = body['tools'];
  expect(tools).toEqual(
    names?.map((name) => expect.objectContaining({ function: expect.objectContaining({ name }) })),
  );
  expect(warnings.map((one) => one.message)).toEqual(
    sentences.map((sentence) => `Ollama's API cannot say ${sentence}`),
  );
});

it('cannot forbid several calls at once, and says so', () => {
  const { warnings } = convert({ tools: [weather], settings: { parallelToolCalls: false } });
  expect(said(warnings)).toEqual([
    [
      'unsupported-setting',
      "Ollama's API cannot say parallelToolCalls: false. The model may call several tools at once.",
    ],
  ]);
});

it.each([
  ['qwen3', 'none', false, 0],
  ['qwen3', 'minimal', true, 1],
  ['qwen3', 'high', true, 1],
  ['gpt-oss:20b', 'none', 'low', 1],
  ['gpt-oss:20b', 'minimal', 'low', 1],
  ['gpt-oss:20b', 'medium', 'medium', 0],
  ['gpt-oss:20b', 'high', 'high', 0],
] as const)('thinks: %s with effort %s', (model, effort, think, warned) => {
  const { body, warnings } = convert(
    { settings: { reasoning: { effort } } },
    { model, think: 'medium' },
  );
  expect([body['think'], warnings.length]).toEqual([think, warned]);
});
