import type { Message } from '../message.ts';
import { equal, ok } from './assert.ts';
import { callsOf, weatherTool, type ModelCase } from './model-fixture.ts';
import type { ServerAnswer } from './model-scenario.ts';

const call: ServerAnswer = {
  type: 'answer',
  text: ['Let me look.'],
  calls: [
    { id: 'call_1', toolName: 'get_weather', input: '{"city":"Oslo"}' },
    { id: 'call_1', toolName: 'get_weather', input: '{"city":"Rome"}' },
  ],
  finish: 'tool-calls',
};
const answer: ServerAnswer = { type: 'answer', text: ['Oslo: rain.'], finish: 'stop' };

const user = (id: string, text: string): Message => ({
  id,
  runId: 'run-1',
  role: 'user',
  parts: [{ type: 'text', text }],
});

/** What a model makes of conversations that hold calls, results and parts of other vendors. */
export function historyContract(it: ModelCase): void {
  it(
    'sends calls and results back, matched by ids that are unique in the request',
    { name: 'tool-round-trip', replies: [call, answer] },
    async (test) => {
      const first = await test.ask({ tools: [weatherTool] });
      // The same conversation twice, as two runs of one session that both got "call_1" from the vendor.
      const messages = ['run-1', 'run-2'].flatMap((runId): Message[] => {
        const parts = callsOf(first.response);
        const id = (index: number): string => `f0.t1.c${index + 1}`;
        return [
          { ...user(`${runId}.user`, `How is the weather? (${runId})`), runId },
          {
            id: 'f0.t1',
            runId,
            role: 'assistant',
            parts: [
              { type: 'text', text: first.text },
              ...parts.map((part, index) => ({ ...part, callId: id(index) })),
            ],
          },
          {
            id: 'f0.t1.r',
            runId,
            role: 'tool',
            parts: parts.map((part, index) => ({
              type: 'tool-result',
              callId: id(index),
              toolName: part.toolName,
              output: { type: 'json', value: { weather: `rain ${runId} ${index}` } },
            })),
          },
        ];
      });
      const { text } = await test.ask({ tools: [weatherTool], messages });
      equal(text, 'Oslo: rain.', 'the answer');

      const body = test.requests()[1];
      const json = JSON.stringify(body);
      const results = ['run-1 0', 'run-1 1', 'run-2 0', 'run-2 1'];
      for (const result of results) ok(json.includes(`rain ${result}`), `${result} is sent`);
      if (test.toolIds === undefined) return;
      const ids = test.toolIds(body);
      equal(ids.calls.length, 4, 'all calls are sent');
      equal(new Set(ids.calls.map(({ id }) => id)).size, 4, `ids are unique: ${json}`);
      equal(
        ids.calls.map((one) => ids.results.find(({ id }) => id === one.id)?.text.includes('rain')),
        [true, true, true, true],
        'each call has its result',
      );
      for (const [index, result] of results.entries()) {
        const sent = ids.results.find(({ id }) => id === ids.calls[index]?.id);
        ok(sent?.text.includes(result), `call ${index} has its own result: ${json}`);
      }
    },
  );

  it(
    'sends what other vendors, failed tools and summaries left in the history',
    { name: 'history', replies: [answer] },
    async (test) => {
      const elsewhere = { 'another-vendor': { signature: 'foreign-provider-data' } };
      const messages: readonly Message[] = [
        {
          id: 's',
          role: 'user',
          parts: [{ type: 'summary', text: 'They spoke of Bergen.', replaces: 4 }],
        },
        user('u1', 'And Oslo?'),
        {
          id: 'a1',
          runId: 'run-1',
          role: 'assistant',
          parts: [
            { type: 'reasoning', text: 'hidden thoughts', providerData: elsewhere },
            {
              type: 'tool-call',
              callId: 'f0.t1.c1',
              toolName: 'get_weather',
              input: '{"city": Oslo',
              providerData: elsewhere,
            },
          ],
        },
        {
          id: 'r1',
          runId: 'run-1',
          role: 'tool',
          parts: [
            {
              type: 'tool-result',
              callId: 'f0.t1.c1',
              toolName: 'get_weather',
              output: { type: 'content', parts: [{ type: 'text', text: 'The input is no JSON.' }] },
              isError: true,
            },
          ],
        },
        {
          id: 'a2',
          runId: 'run-1',
          role: 'assistant',
          parts: [{ type: 'refusal', text: 'I will not say.' }],
        },
        user('u2', 'Please?'),
      ];
      equal((await test.ask({ tools: [weatherTool], messages })).text, 'Oslo: rain.', 'the answer');
      const json = JSON.stringify(test.requests()[0]);
      for (const text of ['They spoke of Bergen.', 'The input is no JSON.', 'Please?']) {
        ok(json.includes(text), `sent: ${text}`);
      }
      ok(!json.includes('foreign-provider-data'), 'data of another vendor stays behind');
    },
  );
}
