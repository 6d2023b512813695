import { equal, eventually, ok } from './assert.ts';
import { gate } from './gate.ts';
import { callsOf, contractRequest, weatherTool, type ModelCase } from './model-fixture.ts';
import { hello, helloText, twoCalls } from './model-replies.ts';

/** What a model makes of answers: their text, as it comes. */
export function answerContract(it: ModelCase): void {
  it('streams text and counts its tokens', { name: 'text', replies: [hello] }, async (test) => {
    const { events, response, text } = await test.ask({ instructions: 'Be brief.' });
    equal(text, helloText, 'the text');
    ok(
      events.filter(({ type }) => type === 'text-delta').length >= 2,
      'text comes in more than one delta',
    );
    equal(response.finishReason, 'stop', 'finish reason');
    const { inputTokens, outputTokens, totalTokens } = response.usage;
    equal([inputTokens, outputTokens, totalTokens], [12, 7, 19], 'usage');
    equal(test.sent().stream, true, 'a stream is asked for');
    ok(test.sent().messages.at(-1)?.text.includes('How is the weather?'), 'the message is sent');
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
      equal(text, helloText, 'the text');
      equal(
        callsOf(response).map(({ input }) => input),
        [{ city: 'Oslo' }, { city: 'Rome' }],
        'the calls',
      );
      equal(response.usage.totalTokens, 19, 'usage');
      equal(test.sent().stream, false, 'no stream is asked for');
    },
  );

  const letters = 'Grüße aus 東京: 👩‍👩‍👧 🌧️ …';
  const call = { id: 'call_1', toolName: 'get_weather', input: '{"city":"Zürich 🌧️"}' };
  it(
    'puts letters together that the network took apart',
    {
      name: 'unicode-bytes',
      replies: [1, 2, 3, 7, 64].map((bytesPerWrite) => ({
        type: 'answer',
        text: [letters.slice(0, 9), letters.slice(9)],
        calls: [call],
        finish: 'tool-calls',
        bytesPerWrite,
      })),
    },
    async (test) => {
      for (let index = 0; index < 5; index++) {
        const { response, text } = await test.ask({ tools: [weatherTool] });
        equal(text, letters, 'the text');
        equal(callsOf(response)[0]?.input, { city: 'Zürich 🌧️' }, 'the arguments');
      }
    },
  );

  it(
    'reads past comments and pings that keep a connection',
    {
      name: 'keep-alive',
      replies: [{ ...hello, calls: twoCalls, finish: 'tool-calls', keepAlive: true }],
    },
    async (test) => {
      const { response, text } = await test.ask({ tools: [weatherTool] });
      equal([text, callsOf(response).length], [helloText, 2], 'text and calls');
    },
  );

  const slow = gate();
  it(
    'waits for a first byte that is slow, and asks once',
    { name: 'slow-answer', replies: [{ ...hello, pause: { afterChunks: 0, until: slow.wait() } }] },
    async (test) => {
      const asking = test.ask();
      await eventually(() => test.requests().length === 1, 'the request arrives');
      await new Promise<void>((resolve) => setTimeout(resolve, 250));
      slow.open();
      equal((await asking).text, helloText, 'the text');
      equal(test.requests().length, 1, 'one request');
    },
  );

  const words = Array.from({ length: 1_500 }, (_, index) => `word-${index} `);
  it(
    'streams a long answer whole and in order',
    { name: 'long-answer', replies: [{ type: 'answer', text: words, finish: 'stop' }] },
    async (test) => equal((await test.ask()).text, words.join(''), 'the text'),
  );

  const exact = ['\n', '  indented', '\t \n\n', '"\\ \u2028 </s> data: {}\r\n', ' end '];
  it(
    'changes no character of a text',
    { name: 'exact-text', replies: [{ type: 'answer', text: exact, finish: 'stop' }] },
    async (test) => equal((await test.ask()).text, exact.join(''), 'the text'),
  );

  it(
    'takes an answer that says nothing as one',
    { name: 'nothing-said', replies: [{ type: 'answer', finish: 'stop' }] },
    async (test) => {
      const { response, text } = await test.ask();
      equal([text, callsOf(response).length], ['', 0], 'no text, no calls');
      equal(response.finishReason, 'stop', 'finish reason');
    },
  );

  it(
    'reads past events that it does not know',
    { name: 'unknown-events', replies: [{ ...hello, unknownEvents: true }] },
    async (test) => equal((await test.ask()).text, helloText, 'the text'),
  );

  it(
    'answers many at once, each its own',
    { name: 'concurrent', replies: [{ ...hello, calls: twoCalls, finish: 'tool-calls' }] },
    async (test) => {
      const asking = Array.from({ length: 12 }, async () => test.ask({ tools: [weatherTool] }));
      for (const { response, text } of await Promise.all(asking)) {
        equal([text, callsOf(response).length], [helloText, 2], 'text and calls');
      }
      equal(test.requests().length, 12, 'a request each');
    },
  );
}
