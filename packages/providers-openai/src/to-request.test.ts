import { wireCallId, type Message, type ModelRequest, type ToolSpec } from '@agent-functions/core';
import { describe, expect, it } from 'vitest';
import { requestFaults } from '../test/request-faults.ts';
import { asking, user, weather } from '../test/targets.ts';
import { toChatRequest } from './chat/to-request.ts';
import { toResponsesRequest } from './responses/to-request.ts';
import type { RequestContext } from './to-request.ts';

const context: RequestContext = {
  provider: 'openai',
  model: 'gpt-5-mini',
  compatible: false,
  encrypted: true,
  extraBody: {},
};

/** The bytes that would be sent. */
const responses = (request: ModelRequest, more: Partial<RequestContext> = {}): string =>
  JSON.stringify(toResponsesRequest(request, { ...context, ...more }).body);
const chat = (request: ModelRequest, more: Partial<RequestContext> = {}): string =>
  JSON.stringify(toChatRequest(request, { ...context, ...more }).body);

const search: ToolSpec = {
  name: 'search',
  description: 'Searches',
  inputSchema: {
    type: 'object',
    properties: { query: { type: 'string' }, limit: { type: 'number' } },
    required: ['query'],
  },
  strict: true,
};

const reasoningItem = { id: 'rs_1', type: 'reasoning', summary: [], encrypted_content: 'gAAA' };

/** A run in which the model thought, spoke, called two tools and answered. */
const conversation: readonly Message[] = [
  user('How is it in Köln?'),
  {
    id: 'm2',
    runId: 'run_1',
    role: 'assistant',
    parts: [
      { type: 'reasoning', text: 'hm', providerData: { openai: reasoningItem } },
      { type: 'text', text: 'I will ' },
      { type: 'text', text: 'look.' },
      {
        type: 'tool-call',
        callId: 'f0.t1.c1',
        toolName: 'weather',
        input: { city: 'Köln' },
        providerData: { openai: { id: 'call_a' } },
      },
      { type: 'tool-call', callId: 'f0.t1.c2', toolName: 'search', input: 'not { json' },
    ],
  },
  {
    id: 'm3',
    runId: 'run_1',
    role: 'tool',
    parts: [
      {
        type: 'tool-result',
        callId: 'f0.t1.c1',
        toolName: 'weather',
        output: { type: 'json', value: { celsius: 21 } },
      },
      {
        type: 'tool-result',
        callId: 'f0.t1.c2',
        toolName: 'search',
        output: { type: 'json', value: 'The input is not JSON.' },
        isError: true,
      },
    ],
  },
];

describe('a whole request, byte for byte', () => {
  const request = asking({
    instructions: 'Be brief.',
    messages: conversation,
    tools: [weather, search],
    output: {
      name: 'the report!',
      schema: { type: 'object', properties: { c: { type: 'number' } }, required: ['c'] },
      strict: true,
    },
    settings: {
      temperature: 0.5,
      topP: 0.9,
      maxTokens: 500,
      toolChoice: { name: 'weather' },
      parallelToolCalls: true,
      reasoning: { effort: 'low' },
    },
  });

  it('to the Responses API', () => {
    expect(responses(request)).toBe(
      '{"model":"gpt-5-mini","instructions":"Be brief.","input":[' +
        '{"role":"user","content":"How is it in Köln?"},' +
        '{"type":"reasoning","summary":[],"encrypted_content":"gAAA"},' +
        '{"role":"assistant","content":"I will look."},' +
        '{"type":"function_call","call_id":"call_a","name":"weather","arguments":"{\\"city\\":\\"Köln\\"}"},' +
        '{"type":"function_call","call_id":"run1_f0_t1_c2","name":"search","arguments":"not { json"},' +
        '{"type":"function_call_output","call_id":"call_a","output":"{\\"celsius\\":21}"},' +
        '{"type":"function_call_output","call_id":"run1_f0_t1_c2","output":"The input is not JSON."}],' +
        '"tools":[{"type":"function","name":"weather","description":"The weather in a city","parameters":' +
        '{"type":"object","properties":{"city":{"type":"string"}},"required":["city"],"additionalProperties":false},"strict":true},' +
        '{"type":"function","name":"search","description":"Searches","parameters":' +
        '{"type":"object","properties":{"query":{"type":"string"},"limit":{"type":"number"}},"required":["query"]},"strict":false}],' +
        '"tool_choice":{"type":"function","name":"weather"},"parallel_tool_calls":true,' +
        '"text":{"format":{"type":"json_schema","name":"the_report_","schema":' +
        '{"type":"object","properties":{"c":{"type":"number"}},"required":["c"],"additionalProperties":false},"strict":true}},' +
        '"reasoning":{"effort":"low"},"temperature":0.5,"top_p":0.9,"max_output_tokens":500,' +
        '"store":false,"include":["reasoning.encrypted_content"],"stream":true}',
    );
  });

  it('to Chat Completions', () => {
    expect(chat({ ...request, settings: { ...request.settings, stop: ['END'], seed: 7 } })).toBe(
      '{"model":"gpt-5-mini","messages":[{"role":"system","content":"Be brief."},' +
        '{"role":"user","content":"How is it in Köln?"},' +
        '{"role":"assistant","content":"I will look.","tool_calls":[' +
        '{"id":"call_a","type":"function","function":{"name":"weather","arguments":"{\\"city\\":\\"Köln\\"}"}},' +
        '{"id":"run1_f0_t1_c2","type":"function","function":{"name":"search","arguments":"not { json"}}]},' +
        '{"role":"tool","tool_call_id":"call_a","content":"{\\"celsius\\":21}"},' +
        '{"role":"tool","tool_call_id":"run1_f0_t1_c2","content":"The input is not JSON."}],' +
        '"tools":[{"type":"function","function":{"name":"weather","description":"The weather in a city","parameters":' +
        '{"type":"object","properties":{"city":{"type":"string"}},"required":["city"],"additionalProperties":false},"strict":true}},' +
        '{"type":"function","function":{"name":"search","description":"Searches","parameters":' +
        '{"type":"object","properties":{"query":{"type":"string"},"limit":{"type":"number"}},"required":["query"]}}}],' +
        '"tool_choice":{"type":"function","function":{"name":"weather"}},"parallel_tool_calls":true,' +
        '"response_format":{"type":"json_schema","json_schema":{"name":"the_report_","schema":' +
        '{"type":"object","properties":{"c":{"type":"number"}},"required":["c"],"additionalProperties":false},"strict":true}},' +
        '"reasoning_effort":"low","temperature":0.5,"top_p":0.9,"max_completion_tokens":500,' +
        '"stop":["END"],"seed":7,"stream":true,"stream_options":{"include_usage":true}}',
    );
  });

  it('says no more than it was asked to', () => {
    expect(responses(asking())).toBe(
      '{"model":"gpt-5-mini","input":[{"role":"user","content":"Hello"}],"store":false,"include":["reasoning.encrypted_content"],"stream":true}',
    );
    expect(chat(asking({ settings: { streaming: false } }))).toBe(
      '{"model":"gpt-5-mini","messages":[{"role":"user","content":"Hello"}],"stream":false}',
    );
  });

  it('leaves out what needs tools where there are none', () => {
    const settings = { toolChoice: 'required', parallelToolCalls: false } as const;
    expect(responses(asking({ settings }))).toBe(responses(asking()));
    expect(chat(asking({ settings }))).toBe(chat(asking()));
  });
});

describe('to a compatible server', () => {
  it('uses the old names', () => {
    const body = toChatRequest(asking({ settings: { maxTokens: 9 } }), {
      ...context,
      compatible: true,
    }).body;
    expect(body).toMatchObject({ max_tokens: 9 });
    expect(body).not.toHaveProperty('max_completion_tokens');
  });

  it('wraps arguments that are not JSON, because some parse the history', () => {
    expect(chat(asking({ messages: conversation }), { compatible: true })).toContain(
      '"arguments":"{\\"invalid_json\\":\\"not { json\\"}"',
    );
  });

  it('gives back reasoning in the field it came in, and signatures beside calls', () => {
    const messages: readonly Message[] = [
      {
        id: 'm1',
        runId: 'r',
        role: 'assistant',
        parts: [
          {
            type: 'reasoning',
            text: 'hm',
            providerData: { openai: { field: 'reasoning_content' } },
          },
          {
            type: 'tool-call',
            callId: 'f0.t1.c1',
            toolName: 'weather',
            input: {},
            providerData: { openai: { id: 'x', extra_content: { google: { sig: 's' } } } },
          },
        ],
      },
    ];
    const expected = {
      role: 'assistant',
      content: null,
      reasoning_content: 'hm',
      tool_calls: [{ id: 'x', extra_content: { google: { sig: 's' } } }],
    };
    const { body } = toChatRequest(asking({ messages }), { ...context, compatible: true });
    expect(body).toMatchObject({ messages: [expected] });
    expect(chat(asking({ messages }))).not.toContain('hm');
  });
});

describe('ids of calls', () => {
  const call = (runId: string, callId: string, id?: string): Message => ({
    id: `${runId}-${callId}`,
    runId,
    role: 'assistant',
    parts: [
      {
        type: 'tool-call',
        callId,
        toolName: 'weather',
        input: {},
        ...(id === undefined ? {} : { providerData: { openai: { id } } }),
      },
    ],
  });
  const result = (runId: string, callId: string): Message => ({
    id: `${runId}-${callId}-r`,
    runId,
    role: 'tool',
    parts: [
      { type: 'tool-result', callId, toolName: 'weather', output: { type: 'json', value: runId } },
    ],
  });

  it('are the vendor’s own only where they are unique, and results follow their call', () => {
    const messages = [
      call('a', 'f0.t1.c1', 'same'),
      result('a', 'f0.t1.c1'),
      call('b', 'f0.t1.c1', 'same'),
      result('b', 'f0.t1.c1'),
      call('c', 'f0.t1.c1', 'own'),
      result('c', 'f0.t1.c1'),
      call('d', 'f0.t1.c1', ''),
      result('d', 'f0.t1.c1'),
    ];
    const [a, b, d] = ['a', 'b', 'd'].map((run) => wireCallId(run, 'f0.t1.c1'));
    const { body } = toResponsesRequest(asking({ messages }), context);
    const input = body['input'];
    expect(Array.isArray(input) && input.map((item) => item.call_id)).toEqual([
      a,
      a,
      b,
      b,
      'own',
      'own',
      d,
      d,
    ]);
    const sent = chat(asking({ messages }));
    for (const id of [a, b, d, 'own']) {
      expect(sent).toContain(`"id":"${id}"`);
      expect(sent).toContain(`"tool_call_id":"${id}"`);
    }
  });

  it('of another provider are not used', () => {
    const messages = [call('a', 'f0.t1.c1', 'of-openai'), result('a', 'f0.t1.c1')];
    for (const sent of [
      responses(asking({ messages }), { provider: 'azure_openai' }),
      chat(asking({ messages }), { provider: 'azure_openai' }),
    ]) {
      expect(sent).not.toContain('of-openai');
      expect(sent.split(wireCallId('a', 'f0.t1.c1'))).toHaveLength(3);
    }
  });
});

describe('reasoning', () => {
  const message = (parts: Message['parts']): Message => ({
    id: 'm',
    runId: 'r',
    role: 'assistant',
    parts,
  });
  const thought = {
    type: 'reasoning',
    text: 'secret',
    providerData: { openai: reasoningItem },
  } as const;
  const text = { type: 'text', text: 'So.' } as const;

  it('of another provider stays behind', () => {
    const messages = [message([thought, text])];
    expect(responses(asking({ messages }), { provider: 'azure_openai' })).not.toMatch(
      /gAAA|secret/,
    );
    expect(chat(asking({ messages }))).not.toMatch(/gAAA|secret/);
  });

  it('goes back only with something after it', () => {
    expect(responses(asking({ messages: [message([thought])] }))).not.toContain('gAAA');
    expect(responses(asking({ messages: [message([thought, text])] }))).toContain('gAAA');
  });

  it('without its encrypted content is of use only where the vendor stores the conversation', () => {
    const bare = {
      type: 'reasoning',
      providerData: { openai: { id: 'rs_2', type: 'reasoning', summary: [] } },
    } as const;
    const messages = [message([bare, text])];
    expect(responses(asking({ messages }))).not.toContain('rs_2');
    const settings = { providerOptions: { openai: { store: true } } };
    expect(responses(asking({ messages, settings }))).toContain('rs_2');
  });

  it('keeps what the vendor’s own tools did', () => {
    const searched = { id: 'ws_1', type: 'web_search_call', status: 'completed' };
    const messages = [message([{ type: 'reasoning', providerData: { openai: searched } }, text])];
    expect(responses(asking({ messages }))).toContain(
      '{"type":"web_search_call","status":"completed"}',
    );
    const settings = { providerOptions: { openai: { store: true } } };
    expect(responses(asking({ messages, settings }))).toContain(JSON.stringify(searched));
  });

  it('gives the phase of a text back', () => {
    const marked = { ...text, providerData: { openai: { phase: 'final_answer' } } };
    expect(responses(asking({ messages: [message([text, marked])] }))).toContain(
      '{"role":"assistant","content":"So."},{"role":"assistant","phase":"final_answer","content":"So."}',
    );
  });
});

describe('files', () => {
  const sent = (part: Message['parts'][number]): ModelRequest =>
    asking({ messages: [{ id: 'm', role: 'user', parts: [{ type: 'text', text: 'See' }, part] }] });
  const of = (request: ModelRequest): { responses: unknown; chat: unknown } => ({
    responses: toResponsesRequest(request, context),
    chat: toChatRequest(request, context),
  });
  const content = (piece: object, warnings: readonly object[] = []): object => ({
    body: { input: [{ role: 'user', content: [{ type: 'input_text', text: 'See' }, piece] }] },
    warnings,
  });
  const message = (piece: object): object => ({
    body: { messages: [{ role: 'user', content: [{ type: 'text', text: 'See' }, piece] }] },
    warnings: [],
  });

  it('are images by URL or data', () => {
    expect(of(sent({ type: 'file', mediaType: 'image/png', data: 'AAAA' }))).toMatchObject({
      responses: content({
        type: 'input_image',
        image_url: 'data:image/png;base64,AAAA',
        detail: 'auto',
      }),
      chat: message({ type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } }),
    });
    const part = {
      type: 'file',
      mediaType: 'image/jpeg',
      url: 'https://e.org/a.jpg',
      providerData: { openai: { detail: 'low' } },
    } as const;
    expect(of(sent(part))).toMatchObject({
      responses: content({ type: 'input_image', image_url: 'https://e.org/a.jpg', detail: 'low' }),
      chat: message({ image_url: { url: 'https://e.org/a.jpg', detail: 'low' } }),
    });
  });

  it('are documents', () => {
    const pdf = { type: 'file', mediaType: 'application/pdf', data: 'AAAA' } as const;
    expect(of(sent({ ...pdf, name: 'a.pdf' }))).toMatchObject({
      responses: content({
        type: 'input_file',
        filename: 'a.pdf',
        file_data: 'data:application/pdf;base64,AAAA',
      }),
      chat: message({
        type: 'file',
        file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,AAAA' },
      }),
    });
    const uploaded = { ...pdf, data: undefined, providerData: { openai: { file_id: 'file-1' } } };
    expect(of(sent(uploaded))).toMatchObject({
      responses: content({ type: 'input_file', file_id: 'file-1' }),
      chat: message({ type: 'file', file: { file_id: 'file-1' } }),
    });
  });

  it('say where one of the two APIs has no place for them', () => {
    const linked = sent({ type: 'file', mediaType: 'application/pdf', url: 'https://e.org/a.pdf' });
    expect(toResponsesRequest(linked, context)).toMatchObject(
      content({ type: 'input_file', file_url: 'https://e.org/a.pdf' }),
    );
    expect(toChatRequest(linked, context).warnings).toEqual([
      {
        type: 'warning',
        code: 'unsupported-part',
        message:
          'A file (application/pdf) in a user message was not sent to the model: this API has no place for it.',
      },
    ]);
    const spoken = sent({ type: 'file', mediaType: 'audio/mpeg', data: 'AAAA' });
    expect(toChatRequest(spoken, context)).toMatchObject(
      message({ type: 'input_audio', input_audio: { data: 'AAAA', format: 'mp3' } }),
    );
    expect(toResponsesRequest(spoken, context).warnings).toHaveLength(1);
  });

  it('of a tool are shown where they can be', () => {
    const messages: readonly Message[] = [
      ...conversation.slice(0, 2),
      {
        id: 'm3',
        runId: 'run_1',
        role: 'tool',
        parts: [
          {
            type: 'tool-result',
            callId: 'f0.t1.c1',
            toolName: 'weather',
            output: {
              type: 'content',
              parts: [
                { type: 'text', text: 'A map:' },
                { type: 'file', mediaType: 'image/png', data: 'AAAA' },
              ],
            },
          },
        ],
      },
    ];
    expect(responses(asking({ messages }))).toContain(
      '"output":[{"type":"input_text","text":"A map:"},{"type":"input_image","image_url":"data:image/png;base64,AAAA","detail":"auto"}]',
    );
  });

  describe('of tools, in Chat Completions', () => {
    const result = (callId: string, ...parts: readonly Message['parts'][number][]) =>
      ({
        type: 'tool-result',
        callId,
        toolName: 'weather',
        output: { type: 'content', parts },
      }) as const;
    const image = (data: string) => ({ type: 'file', mediaType: 'image/png', data }) as const;
    const call = (callId: string) =>
      ({ type: 'tool-call', callId, toolName: 'weather', input: {} }) as const;
    const calls: Message = {
      id: 'm2',
      runId: 'r',
      role: 'assistant',
      parts: [call('c1'), call('c2')],
    };
    const url = (data: string): object => ({
      type: 'image_url',
      image_url: { url: `data:image/png;base64,${data}` },
    });
    const sentOf = (...messages: readonly Message[]) => {
      const wire = toChatRequest(asking({ messages }), context);
      expect(requestFaults(wire.body)).toEqual([]);
      return wire;
    };

    it('are shown by a user message behind all results of the turn', () => {
      const results: readonly Message['parts'][number][] = [
        result('c1', { type: 'text', text: 'A map:' }, image('AAAA')),
        result('c2', image('BBBB')),
      ];
      const tool = (id: string, parts: Message['parts']): Message => ({
        id,
        runId: 'r',
        role: 'tool',
        parts,
      });
      const shown = {
        warnings: [],
        body: {
          messages: [
            { role: 'user' },
            { role: 'assistant' },
            {
              role: 'tool',
              tool_call_id: 'r_c1',
              content: 'A map:\n[A file (image/png) is shown after the results.]',
            },
            {
              role: 'tool',
              tool_call_id: 'r_c2',
              content: '[A file (image/png) is shown after the results.]',
            },
            {
              role: 'user',
              content: [
                { type: 'text', text: 'A file (image/png) from weather, call r_c1:' },
                url('AAAA'),
                { type: 'text', text: 'A file (image/png) from weather, call r_c2:' },
                url('BBBB'),
              ],
            },
            { role: 'user', content: 'And?' },
          ],
        },
      };
      const together = sentOf(user('Hi'), calls, tool('m3', results), user('And?', 'm5'));
      expect(together).toMatchObject(shown);
      const apart = results.map((part, at) => tool(`m3.${at}`, [part]));
      expect(sentOf(user('Hi'), calls, ...apart, user('And?', 'm5'))).toMatchObject(shown);
      const within = { ...calls, parts: [...calls.parts, ...results] };
      expect(sentOf(user('Hi'), within, user('And?', 'm5'))).toMatchObject(shown);
    });

    it('are what a user message may hold; of others a warning tells', () => {
      const pdf = { type: 'file', mediaType: 'application/pdf', name: 'a.pdf' } as const;
      const { body, warnings } = sentOf(calls, {
        id: 'm3',
        runId: 'r',
        role: 'tool',
        parts: [
          result('c1', { ...pdf, data: 'AAAA' }),
          result('c2', { ...pdf, url: 'https://e.org/a.pdf' }),
        ],
      });
      expect(body['messages']).toMatchObject([
        { role: 'assistant' },
        { content: '[A file (application/pdf) is shown after the results.]' },
        { content: '[A file (application/pdf) cannot be shown here.]' },
        { role: 'user', content: [{ type: 'text' }, { file: { filename: 'a.pdf' } }] },
      ]);
      expect(warnings.map(({ code }) => code)).toEqual(['unsupported-part']);
    });
  });
});

it('says which settings the Responses API lacks', () => {
  const { body, warnings } = toResponsesRequest(
    asking({ settings: { stop: ['x'], seed: 1 } }),
    context,
  );
  expect(warnings.map(({ code, message }) => [code, message.slice(0, 36)])).toEqual([
    ['unsupported-setting', 'The setting stop was not sent: the R'],
    ['unsupported-setting', 'The setting seed was not sent: the R'],
  ]);
  expect(body).not.toHaveProperty('stop');
});

it('puts provider options and the extra body over what it made', () => {
  const settings = {
    reasoning: { effort: 'high' },
    providerOptions: {
      openai: {
        reasoning: { summary: 'auto' },
        include: ['web_search_call.action.sources'],
        tools: [{ type: 'web_search' }],
        service_tier: 'flex',
      },
      other: { ignored: true },
    },
  } as const;
  const { body } = toResponsesRequest(asking({ tools: [weather], settings }), {
    ...context,
    extraBody: { service_tier: 'priority', user: 'u' },
  });
  expect(body).toMatchObject({
    reasoning: { effort: 'high', summary: 'auto' },
    include: ['reasoning.encrypted_content', 'web_search_call.action.sources'],
    tools: [{ name: 'weather' }, { type: 'web_search' }],
    service_tier: 'priority',
    user: 'u',
  });
  expect(body).not.toHaveProperty('ignored');
});

it('says summaries, refusals and system messages', () => {
  const messages: readonly Message[] = [
    { id: 's', role: 'system', parts: [{ type: 'text', text: 'Rules' }] },
    { id: 'c', role: 'user', parts: [{ type: 'summary', text: 'They met.', replaces: 4 }] },
    { id: 'r', role: 'assistant', parts: [{ type: 'refusal', text: 'No.' }] },
  ];
  expect(responses(asking({ messages }))).toContain(
    '"input":[{"role":"system","content":"Rules"},{"role":"user","content":"They met."},{"role":"assistant","content":"No."}]',
  );
  expect(chat(asking({ messages }))).toContain(
    '{"role":"assistant","content":null,"refusal":"No."}',
  );
  expect(chat(asking({ messages }), { compatible: true })).toContain(
    '{"role":"assistant","content":"No."}',
  );
});

it('converts a tool once, however often it is sent', () => {
  const frozen: ToolSpec = Object.freeze({ ...weather });
  const tools = (): unknown => {
    const list = toResponsesRequest(asking({ tools: [frozen] }), context).body['tools'];
    return Array.isArray(list) ? list[0] : undefined;
  };
  expect(tools()).toBe(tools());
});

describe('a schema that refers to what it does not hold', () => {
  const properties = { place: { $ref: '#/$defs/Place' } };
  const inputSchema = { type: 'object', properties, required: ['place'] };
  const lost: ToolSpec = { ...weather, inputSchema };

  it.each([
    ['responses', toResponsesRequest],
    ['chat', toChatRequest],
  ])('is warned of, and not strict: %s', (_, convert) => {
    const output = { name: 'report', schema: inputSchema, strict: true };
    const { body, warnings } = convert(asking({ tools: [lost, weather], output }), context);
    expect(warnings).toMatchObject([
      {
        code: 'unsupported-schema',
        message: expect.stringContaining(
          'The schema of the tool weather refers to "#/$defs/Place", which it does not hold',
        ),
      },
      { message: expect.stringContaining('The schema of the output report refers to') },
    ]);
    const strict = JSON.stringify(body).match(/"strict":true/g);
    expect(strict).toHaveLength(1);
  });
});
