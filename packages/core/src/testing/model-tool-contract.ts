import type { ModelSettings } from '../model.ts';
import { equal, ok } from './assert.ts';
import { callsOf, saidOrWarned, weatherTool, type ModelCase } from './model-fixture.ts';
import { hello, helloText, twoCalls } from './model-replies.ts';
import type { ModelScenarioName, ServerAnswer } from './model-scenario.ts';

const cities = [{ city: 'Oslo' }, { city: 'Rome' }];

function calling(input: string): ServerAnswer {
  const calls = [{ id: 'call_1', toolName: 'get_weather', input }];
  return { type: 'answer', calls, finish: 'tool-calls' };
}

/** What a model makes of tools, and of answers that call them. */
export function toolContract(it: ModelCase): void {
  it(
    'offers a tool, and gives its call',
    { name: 'one-tool', replies: [calling('{"city":"Oslo"}')] },
    async (test) => {
      const { response, text } = await test.ask({ tools: [weatherTool] });
      equal(text, '', 'no text');
      equal(
        callsOf(response).map(({ toolName, input }) => [toolName, input]),
        [['get_weather', { city: 'Oslo' }]],
        'the call',
      );
      equal(response.finishReason, 'tool-calls', 'finish reason');
      equal(test.sent().tools, ['get_weather'], 'the tool is sent');
      const json = JSON.stringify(test.requests()[0]);
      ok(json.includes('The weather of a city'), 'its description is sent');
      ok(json.includes('"city"'), 'its schema is sent');
    },
  );

  it(
    'gives the text that comes with a call',
    {
      name: 'text-and-tool',
      replies: [{ ...calling('{"city":"Oslo"}'), text: ['Let me ', 'look.'] }],
    },
    async (test) => {
      const { response, text } = await test.ask({ tools: [weatherTool] });
      equal(text, 'Let me look.', 'the text');
      const types = response.parts.map(({ type }) => type).filter((type) => type !== 'reasoning');
      equal(types, ['text', 'tool-call'], 'text, then the call');
      equal(response.finishReason, 'tool-calls', 'finish reason');
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
    });
  }

  it(
    'takes an answer without calls where tools were offered',
    { name: 'tools-unused', replies: [hello] },
    async (test) => {
      const { response, text } = await test.ask({ tools: [weatherTool] });
      equal([text, callsOf(response).length], [helloText, 0], 'text and no calls');
      equal(response.finishReason, 'stop', 'finish reason');
    },
  );

  for (const [name, title, input, expected] of [
    [
      'invalid-arguments',
      'gives arguments that are not JSON as they were written',
      '{"city": Oslo',
      '{"city": Oslo',
    ],
    ['empty-arguments', 'gives no arguments as an empty object', '', {}],
    [
      'nested-arguments',
      'gives deep arguments as they are',
      '{"city":"Köln","days":[1,2.5,-3e4,{"wind":null}],"deep":{"a":{"b":{"c":[[],{},""]}}},"yes":true}',
      {
        city: 'Köln',
        days: [1, 2.5, -30_000, { wind: null }],
        deep: { a: { b: { c: [[], {}, ''] } } },
        yes: true,
      },
    ],
  ] as const) {
    it(title, { name, replies: [calling(input)] }, async (test) => {
      const { response } = await test.ask({ tools: [weatherTool] });
      equal(callsOf(response)[0]?.input, expected, 'the input');
      equal(callsOf(response).length, 1, 'one call');
    });
  }

  const choices: readonly [ModelScenarioName, string, ModelSettings['toolChoice']][] = [
    ['forced-tool', 'forces one tool', { name: 'get_weather' }],
    ['required-tool', 'asks for some call', 'required'],
    ['forbidden-tools', 'forbids calls, and still shows the tools', 'none'],
  ];
  for (const [name, title, toolChoice] of choices) {
    it(`${title}, or warns`, { name, replies: [hello] }, async (test) => {
      const { events } = await test.ask({ tools: [weatherTool], settings: { toolChoice } });
      saidOrWarned(events, 'toolChoice', test.sent().toolChoice, toolChoice);
    });
  }

  it(
    'asks for one call at a time, or warns',
    { name: 'parallel-off', replies: [hello] },
    async (test) => {
      const settings = { parallelToolCalls: false };
      const { events } = await test.ask({ tools: [weatherTool], settings });
      saidOrWarned(events, 'parallelToolCalls', test.sent().parallelToolCalls, false);
    },
  );
}
