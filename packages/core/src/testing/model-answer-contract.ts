import type { OutputSpec } from '../model.ts';
import { equal, ok } from './assert.ts';
import { gate } from './gate.ts';
import { callsOf, contractRequest, weatherTool, type ModelCase } from './model-fixture.ts';
import type { ServerAnswer } from './model-scenario.ts';

const report: OutputSpec = {
  name: 'weather_report',
  schema: {
    type: 'object',
    properties: { celsius: { type: 'number' } },
    required: ['celsius'],
    additionalProperties: false,
  },
  strict: true,
};

const hello: ServerAnswer = {
  type: 'answer',
  text: ['It ', 'rains in ', 'Zürich 🌧️', '.'],
  finish: 'stop',
  usage: { inputTokens: 12, outputTokens: 7 },
};
const twoCalls = [
  { toolName: 'get_weather', input: '{"city":"Oslo"}' },
  { toolName: 'get_weather', input: '{"city":"Rome"}' },
] as const;
const cities = [{ city: 'Oslo' }, { city: 'Rome' }];

/** What a model makes of answers. */
export function answerContract(it: ModelCase): void {
  it('streams text and counts its tokens', { name: 'text', replies: [hello] }, async (test) => {
    const { events, response, text } = await test.ask({ instructions: 'Be brief.' });
    equal(text, 'It rains in Zürich 🌧️.', 'the text');
    ok(
      events.filter(({ type }) => type === 'text-delta').length >= 2,
      'text comes in more than one delta',
    );
    equal(response.finishReason, 'stop', 'finish reason');
    const { inputTokens, outputTokens, totalTokens } = response.usage;
    equal([inputTokens, outputTokens, totalTokens], [12, 7, 19], 'usage');
    const body = JSON.stringify(test.requests()[0]);
    ok(body.includes('Be brief.'), 'the instructions are sent');
    ok(body.includes('How is the weather?'), 'the message is sent');
    equal(test.requests().length, 1, 'one request');
  });

  const later = gate();
  it(
    'gives deltas as they come, not at the end',
    {
      name: 'deltas-as-they-come',
      replies: [{ ...hello, pause: { afterChunks: 2, until: later.wait() } }],
    },
    async ({ model }) => {
      const { signal } = new AbortController();
      const types: string[] = [];
      for await (const { type } of model.stream(contractRequest(), { signal })) {
        types.push(type);
        if (type === 'text-delta') later.open();
      }
      equal(types.at(-1), 'response', 'the stream went on');
    },
  );

  it(
    'asks for an answer in one piece where streaming is off',
    { name: 'one-piece', replies: [{ ...hello, calls: twoCalls, finish: 'tool-calls' }] },
    async (test) => {
      const request = { tools: [weatherTool], settings: { streaming: false } };
      const { response, text } = await test.ask(request);
      equal(text, 'It rains in Zürich 🌧️.', 'the text');
      equal(
        callsOf(response).map(({ input }) => input),
        cities,
        'the calls',
      );
      equal(response.usage.totalTokens, 19, 'usage');
    },
  );

  for (const [name, title, ids] of [
    ['parallel-tools', 'gives the tool calls of one answer in order', ['call_a', 'call_b']],
    ['missing-ids', 'keeps apart calls without ids', [undefined, undefined]],
    ['repeated-ids', 'keeps apart calls with the same id', ['call_1', 'call_1']],
  ] as const) {
    const calls = twoCalls.map((call, index) => ({ ...call, id: ids[index] }));
    const reply: ServerAnswer = { type: 'answer', calls, finish: 'tool-calls' };
    it(title, { name, replies: [reply] }, async (test) => {
      const { response } = await test.ask({ tools: [weatherTool] });
      equal(
        callsOf(response).map(({ toolName, input }) => ({ toolName, input })),
        cities.map((input) => ({ toolName: 'get_weather', input })),
        'the calls',
      );
      equal(response.finishReason, 'tool-calls', 'finish reason');
      const body = JSON.stringify(test.requests()[0]);
      ok(
        body.includes('get_weather') && body.includes('The weather of a city'),
        'the tool is sent',
      );
    });
  }

  it(
    'gives arguments that are not JSON as they were written',
    {
      name: 'invalid-arguments',
      replies: [
        {
          type: 'answer',
          calls: [{ id: 'call_1', toolName: 'get_weather', input: '{"city": Oslo' }],
          finish: 'tool-calls',
        },
      ],
    },
    async (test) => {
      const { response } = await test.ask({ tools: [weatherTool] });
      equal(callsOf(response)[0]?.input, '{"city": Oslo', 'the raw text');
    },
  );

  it(
    'asks for the form of the answer and gives it as text',
    {
      name: 'structured-output',
      replies: [{ type: 'answer', text: ['{"cels', 'ius":7}'], finish: 'stop' }],
    },
    async (test) => {
      const { text } = await test.ask({ output: report });
      equal(JSON.parse(text), { celsius: 7 }, 'the answer');
      ok(JSON.stringify(test.requests()[0]).includes('celsius'), 'the schema is sent');
    },
  );

  it(
    'counts cached and reasoning tokens within the input and output',
    {
      name: 'usage-details',
      replies: [
        {
          ...hello,
          usage: {
            inputTokens: 100,
            outputTokens: 50,
            cachedInputTokens: 80,
            reasoningTokens: 30,
          },
        },
      ],
    },
    async (test) => {
      const { usage } = (await test.ask()).response;
      equal([usage.inputTokens, usage.outputTokens, usage.totalTokens], [100, 50, 150], 'usage');
      equal(usage.cachedInputTokens, 80, 'cached');
      if (usage.reasoningTokens !== undefined) equal(usage.reasoningTokens, 30, 'reasoning');
    },
  );

  it(
    'says when the answer was cut at its length',
    { name: 'length', replies: [{ ...hello, finish: 'length' }] },
    async (test) => {
      const { response, text } = await test.ask({ settings: { maxTokens: 5 } });
      equal([response.finishReason, text], ['length', 'It rains in Zürich 🌧️.'], 'what there is');
    },
  );

  it(
    'gives a refusal as one, not as text',
    {
      name: 'refusal',
      replies: [{ type: 'answer', refusal: 'I cannot help with that.', finish: 'stop' }],
    },
    async (test) => {
      const { response, text } = await test.ask();
      equal(text, '', 'no text');
      const [part] = response.parts.filter(({ type }) => type === 'refusal');
      ok(part?.type === 'refusal' && part.text === 'I cannot help with that.', 'the refusal');
      equal(response.finishReason, 'refusal', 'finish reason');
    },
  );

  it(
    'says when the answer was filtered',
    { name: 'filtered-answer', replies: [{ ...hello, finish: 'content-filter' }] },
    async (test) => {
      equal((await test.ask()).response.finishReason, 'content-filter', 'finish reason');
    },
  );

  it(
    'reads past events that it does not know',
    { name: 'unknown-events', replies: [{ ...hello, unknownEvents: true }] },
    async (test) => {
      equal((await test.ask()).text, 'It rains in Zürich 🌧️.', 'the text');
    },
  );
}
