import { isModelError } from '../attempts.ts';
import type { ModelResponse } from '../model.ts';
import { equal, ok } from './assert.ts';
import { checkModelError } from './model-checks.ts';
import { callsOf, contractRequest, weatherTool, type ModelCase } from './model-fixture.ts';
import type { ModelFixture } from './model-fixture.ts';
import type { ServerAnswer } from './model-scenario.ts';

const long: ServerAnswer = {
  type: 'answer',
  text: ['one ', 'two ', 'three ', 'four'],
  finish: 'stop',
};
const calling: ServerAnswer = {
  ...long,
  reasoning: { text: ['Which ', 'city?'] },
  calls: [
    { id: 'call_a', toolName: 'get_weather', input: '{"city":"Oslo"}' },
    { id: 'call_b', toolName: 'get_weather', input: '{"city":"Rome"}' },
  ],
  finish: 'tool-calls',
  usage: { inputTokens: 12, outputTokens: 7 },
};
// More than any wire makes of that answer; where nothing is cut any more, the answers are whole.
const boundaries = Array.from({ length: 48 }, (_, index) => index);

/** What a model makes of streams that break: never half an answer. */
export function brokenStreamContract(it: ModelCase): void {
  it(
    'fails with network when the connection is cut, with what came before',
    { name: 'cut', replies: [{ ...long, cutAfterChunks: 2 }] },
    async (test) => checkBroken((await test.fail()).error),
  );

  for (const [name, title, field] of [
    ['cut-anywhere', 'the connection is cut', 'cutAfterChunks'],
    ['end-anywhere', 'the body ends', 'endAfterChunks'],
  ] as const) {
    it(
      `gives the whole answer or fails, wherever ${title}`,
      {
        name,
        replies: [calling, ...boundaries.map((chunks) => ({ ...calling, [field]: chunks }))],
      },
      async (test) => {
        const whole = said((await test.ask({ tools: [weatherTool] })).response);
        let failed = 0;
        for (const chunks of boundaries) {
          const response = await askBroken(test);
          if (response === undefined) {
            failed += 1;
            continue;
          }
          equal(said(response), whole, `the answer after ${chunks} chunks`);
        }
        ok(failed > 5 && failed < boundaries.length, `some fail, some do not: ${failed}`);
      },
    );
  }

  it(
    'fails with the vendor’s reason when it comes in the middle of a stream',
    {
      name: 'failure-in-stream',
      replies: [
        {
          ...long,
          failure: { afterChunks: 2, reason: 'overloaded', message: 'Too many at once.' },
        },
      ],
    },
    async (test) => {
      const { error } = await test.fail();
      checkModelError(error, 'overloaded', test);
      equal(error.retryable, true, 'retryable');
    },
  );

  for (const [name, title, reply] of [
    ['empty', 'the stream is empty', { ...long, empty: true }],
    ['page', 'a page of HTML comes instead', { ...long, page: true }],
  ] as const) {
    it(
      `fails with invalid-response, or ends without a response, when ${title}`,
      { name, replies: [reply] },
      async (test) => {
        const { signal } = new AbortController();
        try {
          // Core makes an invalid-response of a stream that ends without one.
          for await (const { type } of test.model.stream(contractRequest(), { signal })) {
            ok(type === 'warning', `nothing but warnings: ${type}`);
          }
        } catch (error) {
          checkModelError(error, 'invalid-response', test);
        }
      },
    );
  }

  it('fails with network when nobody listens', { name: 'no-server', replies: [] }, async (test) => {
    await test.dispose();
    const { error } = await test.fail();
    checkModelError(error, 'network', test);
    equal(error.retryable, true, 'retryable');
  });
}

/** The response of a stream that may break: none where it did, and then for a reason that allows another try. */
async function askBroken({ model }: ModelFixture): Promise<ModelResponse | undefined> {
  const { signal } = new AbortController();
  const request = contractRequest({ tools: [weatherTool] });
  try {
    for await (const event of model.stream(request, { signal })) {
      if (event.type === 'response') return event.response;
    }
  } catch (error) {
    checkBroken(error);
  }
  return undefined;
}

function checkBroken(error: unknown): void {
  ok(isModelError(error), `a ModelError: ${String(error)}`);
  const { reason, retryable } = error;
  ok(reason === 'network' || reason === 'invalid-response', `the reason: ${reason}`);
  equal(retryable, true, 'retryable');
}

/** What an answer says; usage may come after its end, and be lost. */
function said(response: ModelResponse): unknown {
  const text = response.parts.map((part) => (part.type === 'text' ? part.text : '')).join('');
  return {
    text,
    calls: callsOf(response).map(({ toolName, input }) => ({ toolName, input })),
    finishReason: response.finishReason,
  };
}
