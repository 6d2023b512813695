import { equal, ok } from './assert.ts';
import { callsOf, weatherTool, type ModelCase } from './model-fixture.ts';
import { hello, helloText } from './model-replies.ts';

const usage = {
  inputTokens: 100,
  outputTokens: 50,
  cachedInputTokens: 80,
  reasoningTokens: 30,
};

/** What a model makes of the ends of answers: why, and what they cost. */
export function endingContract(it: ModelCase): void {
  it(
    'says when the answer was cut at its length',
    { name: 'length', replies: [{ ...hello, finish: 'length' }] },
    async (test) => {
      const { response, text } = await test.ask({ settings: { maxTokens: 50 } });
      equal([response.finishReason, text], ['length', helloText], 'what there is');
    },
  );

  it(
    'says when the answer was cut in the middle of a call',
    {
      name: 'length-in-a-call',
      replies: [
        {
          type: 'answer',
          calls: [{ id: 'call_1', toolName: 'get_weather', input: '{"city":"Os' }],
          finish: 'length',
        },
      ],
    },
    async (test) => {
      const { response } = await test.ask({ tools: [weatherTool] });
      equal(response.finishReason, 'length', 'finish reason');
      ok(callsOf(response).length <= 1, 'at most the call that was begun');
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

  for (const [name, finish, title] of [
    ['filtered-answer', 'content-filter', 'says when the answer was filtered'],
    ['unknown-finish', 'other', 'keeps an answer that ended for a reason nobody knows yet'],
  ] as const) {
    it(title, { name, replies: [{ ...hello, finish }] }, async (test) => {
      const { response, text } = await test.ask();
      equal([response.finishReason, text], [finish, helloText], 'reason and text');
    });
  }

  for (const [name, streaming] of [
    ['usage-details', true],
    ['usage-one-piece', false],
  ] as const) {
    it(
      `counts cached and reasoning tokens within the input and output, ${streaming ? 'streamed' : 'in one piece'}`,
      { name, replies: [{ ...hello, usage }] },
      async (test) => {
        const counted = (await test.ask({ settings: { streaming } })).response.usage;
        equal(
          [counted.inputTokens, counted.outputTokens, counted.totalTokens],
          [100, 50, 150],
          'usage',
        );
        equal(counted.cachedInputTokens, 80, 'cached');
        if (counted.reasoningTokens !== undefined) equal(counted.reasoningTokens, 30, 'reasoning');
      },
    );
  }

  it(
    'counts nothing where the server counts nothing',
    { name: 'usage-none', replies: [{ ...hello, noUsage: true }] },
    async (test) => {
      const { response, text } = await test.ask();
      const { inputTokens, outputTokens, totalTokens } = response.usage;
      equal([inputTokens, outputTokens, totalTokens], [0, 0, 0], 'usage');
      equal(text, helloText, 'the text');
    },
  );
}
