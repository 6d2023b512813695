import type {
  FilePart,
  JsonObject,
  Message,
  ModelRequest,
  ModelSettings,
  Part,
  ToolSpec,
} from '@agent-functions/core';
import { describe, expect, it } from 'vitest';
import { asking, user, weather } from '../test/targets.ts';
import { bodyProblems } from '../test/validate-request.ts';
import type { Backend } from './endpoint.ts';
import { toRequest } from './to-request.ts';

interface How {
  readonly model?: string;
  readonly backend?: Backend;
  readonly extraBody?: JsonObject;
}

/** The body of a request, checked, and what was warned of. */
function sent(request: Partial<ModelRequest>, how: How = {}): JsonObject {
  const { model = 'gemini-3.8-flash', backend = 'gemini', extraBody = {} } = how;
  const { body, warnings } = toRequest(asking(request), { model, backend, extraBody });
  expect(bodyProblems(body, model)).toEqual([]);
  return { ...body, warnings: warnings.map(({ code }) => code) };
}

function config(settings: ModelSettings, model?: string) {
  const { generationConfig, warnings } = sent({ settings }, model === undefined ? {} : { model });
  return { config: generationConfig, warnings };
}

function message(role: Message['role'], parts: readonly Part[], runId = 'run_1'): Message {
  return { id: 'm', runId, role, parts };
}

const call = (index: number, more: object = {}): Part => ({
  type: 'tool-call',
  callId: `f0.t1.c${index}`,
  toolName: 'weather',
  input: { city: `City ${index}` },
  ...more,
});
const result = (index: number, more: object = {}): Part => ({
  type: 'tool-result',
  callId: `f0.t1.c${index}`,
  toolName: 'weather',
  output: { type: 'json', value: { celsius: index } },
  ...more,
});
const signed = (signature: string, api = 'gemini', id?: string) => ({
  providerData: { google: { signature, api, ...(id === undefined ? {} : { id }) } },
});

describe('contents', () => {
  it('keeps roles apart, joins what follows of one, and leaves system to the instructions', () => {
    const messages = [
      user('a'),
      user('b'),
      message('system', [{ type: 'text', text: 'Be kind.' }]),
      message('assistant', [{ type: 'text', text: 'c' }]),
      message('assistant', [{ type: 'refusal', text: 'd' }]),
      user('e'),
    ];
    expect(sent({ messages, instructions: 'Be brief.' })).toMatchObject({
      systemInstruction: { parts: [{ text: 'Be brief.\n\nBe kind.' }] },
      contents: [
        { role: 'user', parts: [{ text: 'a' }, { text: 'b' }] },
        { role: 'model', parts: [{ text: 'c' }, { text: 'd' }] },
        { role: 'user', parts: [{ text: 'e' }] },
      ],
    });
  });

  it('puts the results of a turn into one content of their own, whatever follows', () => {
    const messages = [
      user('a'),
      message('assistant', [call(1, signed('czE=')), call(2)]),
      message('tool', [result(1)]),
      message('tool', [result(2, { isError: true })]),
      user('b'),
    ];
    const ids = ['run1_f0_t1_c1', 'run1_f0_t1_c2'];
    expect(sent({ messages, tools: [weather] })['contents']).toEqual([
      { role: 'user', parts: [{ text: 'a' }] },
      {
        role: 'model',
        parts: [
          {
            functionCall: { id: ids[0], name: 'weather', args: { city: 'City 1' } },
            thoughtSignature: 'czE=',
          },
          { functionCall: { id: ids[1], name: 'weather', args: { city: 'City 2' } } },
        ],
      },
      {
        role: 'user',
        parts: [
          {
            functionResponse: { id: ids[0], name: 'weather', response: { output: { celsius: 1 } } },
          },
          {
            functionResponse: { id: ids[1], name: 'weather', response: { error: { celsius: 2 } } },
          },
        ],
      },
      { role: 'user', parts: [{ text: 'b' }] },
    ]);
  });

  it.each([
    ['the vendor’s own id', 'gemini-3.8-flash', 'vendor-1'],
    ['no id before Gemini 3', 'gemini-2.5-flash', undefined],
  ])('says calls and results by %s', (_, model, id) => {
    const messages = [
      user('a'),
      message('assistant', [call(1, signed('czE=', 'gemini', 'vendor-1'))]),
      message('tool', [result(1)]),
    ];
    const contents = sent({ messages }, { model })['contents'];
    const of = { ...(id === undefined ? {} : { id }), name: 'weather' };
    expect(contents).toHaveProperty('1.parts.0.functionCall', { ...of, args: { city: 'City 1' } });
    expect(contents).toHaveProperty('2.parts.0.functionResponse', {
      ...of,
      response: { output: { celsius: 1 } },
    });
  });

  it('gives signatures back where they came from, and to nobody else', () => {
    const messages = [
      user('a'),
      message('assistant', [
        { type: 'reasoning', text: 'unsigned thoughts' },
        { type: 'reasoning', text: 'thoughts', ...signed('czE=') },
        { type: 'text', text: 'b', ...signed('czI=') },
        { type: 'reasoning', ...signed('czM=') },
        { type: 'reasoning', providerData: { openai: { encrypted_content: 'x' } } },
        {
          type: 'reasoning',
          providerData: { google: { part: { toolCall: { id: 's' } }, api: 'gemini' } },
        },
      ]),
      user('c'),
    ];
    expect(sent({ messages })['contents']).toHaveProperty('1.parts', [
      { text: 'thoughts', thought: true, thoughtSignature: 'czE=' },
      { text: 'b', thoughtSignature: 'czI=' },
      { text: '', thoughtSignature: 'czM=' },
      { toolCall: { id: 's' } },
    ]);
    expect(sent({ messages }, { backend: 'vertex' })['contents']).toHaveProperty('1.parts', [
      { text: 'b' },
    ]);
  });

  it('says of the calls of another model that they are not signed, in the current turn only', () => {
    const elsewhere = { providerData: { openai: { id: 'call_1' } } };
    const step = [
      message('assistant', [call(1, elsewhere), call(2)]),
      message('tool', [result(1), result(2)]),
    ];
    const messages = [
      user('a'),
      ...step,
      user('b'),
      ...step.map((one) => ({ ...one, runId: 'run_2' })),
    ];
    const skip = 'skip_thought_signature_validator';
    const { contents } = sent({ messages });
    expect(contents).not.toHaveProperty('1.parts.0.thoughtSignature');
    expect(contents).toHaveProperty('4.parts.0.thoughtSignature', skip);
    expect(contents).not.toHaveProperty('4.parts.1.thoughtSignature');
    expect(JSON.stringify(sent({ messages }, { model: 'gemini-2.5-pro' }))).not.toContain(skip);
  });

  it('says what another model wrote as arguments that are no object', () => {
    const messages = [
      user('a'),
      message('assistant', [call(1, { input: '{"city": Oslo' }), call(2, { input: [1] })]),
      message('tool', [result(1), result(2)]),
    ];
    const { contents } = sent({ messages });
    expect(contents).toHaveProperty('1.parts.0.functionCall.args', {
      invalid_json: '{"city": Oslo',
    });
    expect(contents).toHaveProperty('1.parts.1.functionCall.args', { value: [1] });
  });

  it('begins with the user', () => {
    const messages = [message('assistant', [{ type: 'text', text: 'Welcome.' }]), user('a')];
    expect(sent({ messages })['contents']).toMatchObject([
      { role: 'user', parts: [{ text: ' ' }] },
      { role: 'model' },
      { role: 'user' },
    ]);
  });
});

describe('files', () => {
  const file = (part: Partial<FilePart>): FilePart => ({
    type: 'file',
    mediaType: 'image/png',
    ...part,
  });
  const inline = (mimeType: string, data = 'AAAA') => ({ inlineData: { mimeType, data } });

  it.each<[string, FilePart, object]>([
    ['an image', file({ data: 'AAAA' }), inline('image/png')],
    ['a sound', file({ mediaType: 'audio/wav', data: 'AAAA' }), inline('audio/wav')],
    ['a PDF', file({ mediaType: 'application/pdf', data: 'AAAA' }), inline('application/pdf')],
    ['a data URL', file({ url: 'data:image/png;base64,AAAA' }), inline('image/png')],
    [
      'an address',
      file({ url: 'https://example.com/a.png' }),
      { fileData: { mimeType: 'image/png', fileUri: 'https://example.com/a.png' } },
    ],
    [
      'a file in Cloud Storage',
      file({ mediaType: 'video/mp4', url: 'gs://bucket/a.mp4' }),
      { fileData: { mimeType: 'video/mp4', fileUri: 'gs://bucket/a.mp4' } },
    ],
  ])('sends %s', (_, part, wire) => {
    expect(sent({ messages: [message('user', [part])] })).toMatchObject({
      contents: [{ parts: [wire] }],
      warnings: [],
    });
  });

  it.each([
    ['an address that is not fetched', file({ url: 'http://example.com/a.png' })],
    ['a file of this machine', file({ url: 'file:///etc/passwd' })],
    ['nothing', file({})],
  ])('warns of %s', (_, part) => {
    const request = { messages: [message('user', [{ type: 'text', text: 'a' }, part])] };
    expect(sent(request)).toMatchObject({
      contents: [{ parts: [{ text: 'a' }] }],
      warnings: ['unsupported-part'],
    });
  });

  it('sends files of a tool’s result since Gemini 3, and warns before', () => {
    const parts = [{ type: 'text', text: 'The map:' } as const, file({ data: 'AAAA' })];
    const messages = [
      user('a'),
      message('assistant', [call(1)]),
      message('tool', [result(1, { output: { type: 'content', parts } })]),
    ];
    expect(sent({ messages })['contents']).toHaveProperty('2.parts.0.functionResponse', {
      id: 'run1_f0_t1_c1',
      name: 'weather',
      response: { output: 'The map:' },
      parts: [inline('image/png')],
    });
    expect(sent({ messages }, { model: 'gemini-2.5-pro' })['warnings']).toEqual([
      'unsupported-part',
    ]);
  });
});

describe('tools', () => {
  it('are declarations with JSON Schema, without one where there are no parameters', () => {
    const ping: ToolSpec = {
      name: 'ping',
      description: 'Pings',
      inputSchema: { type: 'object', properties: {}, additionalProperties: false },
      strict: true,
    };
    expect(sent({ tools: [weather, ping] })['tools']).toEqual([
      {
        functionDeclarations: [
          {
            name: 'weather',
            description: 'The weather in a city',
            parametersJsonSchema: weather.inputSchema,
          },
          { name: 'ping', description: 'Pings' },
        ],
      },
    ]);
  });

  it.each<[ModelSettings['toolChoice'], object]>([
    ['auto', { mode: 'AUTO' }],
    ['required', { mode: 'ANY' }],
    ['none', { mode: 'NONE' }],
    [{ name: 'weather' }, { mode: 'ANY', allowedFunctionNames: ['weather'] }],
  ])('are chosen: %j', (toolChoice, functionCallingConfig) => {
    expect(sent({ tools: [weather], settings: { toolChoice } })['toolConfig']).toEqual({
      functionCallingConfig,
    });
    expect(sent({ settings: { toolChoice } })).not.toHaveProperty('toolConfig');
  });

  it('warns of a schema that it could not say whole, and of one call at a time', () => {
    const tools = [{ ...weather, inputSchema: { type: 'object', not: { type: 'null' } } }];
    expect(sent({ tools })['warnings']).toEqual(['unsupported-schema']);
    const settings = { parallelToolCalls: false };
    expect(sent({ tools: [weather], settings })['warnings']).toEqual(['unsupported-setting']);
  });
});

describe('the form of an answer', () => {
  const schema = { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] };
  const output = { name: 'answer', schema, strict: true };

  it('is a response schema, with tools since Gemini 3', () => {
    const wire = { responseMimeType: 'application/json', responseJsonSchema: schema };
    expect(sent({ output })['generationConfig']).toEqual(wire);
    expect(sent({ output, tools: [weather] })).toMatchObject({
      generationConfig: wire,
      warnings: [],
    });
    expect(sent({ output }, { model: 'gemini-2.5-pro' })['generationConfig']).toEqual(wire);
  });

  it('is asked for in the instructions beside tools of an older model, with a warning', () => {
    const request = { output, tools: [weather], instructions: 'Be brief.' };
    const wire = sent(request, { model: 'gemini-2.5-pro' });
    expect(wire).not.toHaveProperty('generationConfig');
    expect(JSON.stringify(wire['systemInstruction'])).toContain('JSON Schema');
    expect(wire['warnings']).toEqual(['output-by-instruction']);
  });
});

describe('settings', () => {
  it('go into generationConfig', () => {
    const stop = ['a', 'b', 'c', 'd', 'e', 'f'];
    expect(config({ temperature: 0, topP: 0.5, maxTokens: 9, seed: 7, stop })).toEqual({
      config: {
        temperature: 0,
        topP: 0.5,
        maxOutputTokens: 9,
        seed: 7,
        stopSequences: ['a', 'b', 'c', 'd', 'e'],
      },
      warnings: ['unsupported-setting'],
    });
    expect(config({})).toEqual({ config: undefined, warnings: [] });
  });

  type Effort = 'none' | 'minimal' | 'low' | 'medium' | 'high';
  const level = (thinkingLevel: string) => ({ thinkingLevel, includeThoughts: true });
  const budget = (thinkingBudget: number) => ({ thinkingBudget, includeThoughts: true });
  it.each<[string, Effort, object | undefined, warned: boolean]>([
    ['gemini-3.8-flash', 'none', { thinkingLevel: 'LOW' }, true],
    ['gemini-3.8-flash', 'minimal', level('LOW'), true],
    ['gemini-3.8-flash', 'low', level('LOW'), false],
    ['gemini-3.8-flash', 'medium', level('MEDIUM'), false],
    ['gemini-3.8-flash', 'high', level('HIGH'), false],
    ['gemini-3.6-flash', 'minimal', level('MINIMAL'), false],
    ['gemini-3.5-flash-lite', 'none', { thinkingLevel: 'MINIMAL' }, true],
    ['gemini-3-pro-preview', 'medium', level('HIGH'), true],
    ['gemini-3.1-pro-preview', 'medium', level('MEDIUM'), false],
    ['gemini-4-argon', 'high', level('HIGH'), false],
    ['models/gemini-2.5-flash', 'none', { thinkingBudget: 0 }, false],
    ['gemini-2.5-flash-lite', 'minimal', budget(1024), false],
    ['gemini-2.5-pro', 'none', { thinkingBudget: 128 }, true],
    ['gemini-2.5-pro', 'medium', budget(8192), false],
    ['gemini-2.5-pro', 'high', budget(24_576), false],
    ['gemini-2.0-flash', 'none', undefined, false],
    ['gemini-2.0-flash', 'high', undefined, true],
  ])('reasoning of %s at effort %s', (model, effort, thinking, warned) => {
    expect(config({ reasoning: { effort } }, model)).toEqual({
      config: thinking === undefined ? undefined : { thinkingConfig: thinking },
      warnings: warned ? ['unsupported-setting'] : [],
    });
  });

  it('of the vendor come over all, those of the model last', () => {
    const google = {
      safetySettings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_NONE' }],
      tools: [{ googleSearch: {} }],
      generationConfig: { topK: 5 },
    };
    const settings = { temperature: 0.5, providerOptions: { google, openai: { store: true } } };
    const extraBody = { labels: { team: 'blue' }, generationConfig: { topK: 7 } };
    expect(sent({ settings, tools: [weather] }, { extraBody })).toMatchObject({
      safetySettings: google.safetySettings,
      tools: [{ functionDeclarations: [{ name: 'weather' }] }, { googleSearch: {} }],
      generationConfig: { temperature: 0.5, topK: 7 },
      labels: { team: 'blue' },
    });
  });
});

it('warns of a schema that refers to what it does not hold, and leaves the reference out', () => {
  const inputSchema = {
    type: 'object',
    properties: { place: { $ref: '#/$defs/Place', description: 'Where' } },
    required: ['place'],
  };
  const tools = [{ ...weather, inputSchema }];
  expect(sent({ tools })).toMatchObject({
    tools: [
      {
        functionDeclarations: [
          {
            parametersJsonSchema: {
              type: 'object',
              properties: { place: { description: 'Where' } },
              required: ['place'],
            },
          },
        ],
      },
    ],
    warnings: ['unsupported-schema'],
  });
  const context = { model: 'gemini-3.8-flash', backend: 'gemini', extraBody: {} } as const;
  expect(toRequest(asking({ tools }), context).warnings[0]?.message).toBe(
    'The schema of the tool weather refers to "#/$defs/Place", which it does not hold: the model was not told what may stand there. Put the definition into the schema.',
  );
});
