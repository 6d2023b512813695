import type { Message } from '../message.ts';
import { equal, ok } from './assert.ts';
import { called, inOrder } from './model-checks.ts';
import { callsOf, userMessage, warnsOf, weatherTool, type ModelCase } from './model-fixture.ts';
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

const user = (id: string, text: string): Message => userMessage(text, id);

/** What a model makes of conversations that hold calls of tools and their results. */
export function resultContract(it: ModelCase): void {
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
    'sends that a tool failed, as its result',
    { name: 'tool-error', replies: [answer] },
    async (test) => {
      const messages = [user('u1', 'How is the weather?'), ...called(1, true)];
      await test.ask({ tools: [weatherTool], messages });
      inOrder(test, ['How is the weather?', 'weather 1!']);
      if (test.toolIds === undefined) return;
      const { calls, results } = test.toolIds(test.requests()[0]);
      equal(
        results.map(({ id }) => id),
        calls.map(({ id }) => id),
        'the result of the call',
      );
    },
  );

  it(
    'sends an image that a tool gave, or warns',
    { name: 'tool-image', replies: [answer] },
    async (test) => {
      const [question, result] = called(1);
      ok(question !== undefined && result !== undefined, 'a call and its result');
      const [part] = result.parts;
      ok(part?.type === 'tool-result', 'a result');
      const data = 'iVBORw0KGgo=';
      const output = {
        type: 'content',
        parts: [
          { type: 'text', text: 'The map:' },
          { type: 'file', mediaType: 'image/png', data },
        ],
      } as const;
      const messages = [
        user('u1', 'Show me.'),
        question,
        { ...result, parts: [{ ...part, output }] },
      ];
      const { events } = await test.ask({ tools: [weatherTool], messages });
      ok(
        test.sent().files.some((file) => file.data === data) ||
          warnsOf(events).includes('unsupported-part'),
        'the image is sent, or an unsupported-part warning says that it is not',
      );
      ok(JSON.stringify(test.requests()[0]).includes('The map:'), 'its text is sent');
    },
  );
}
