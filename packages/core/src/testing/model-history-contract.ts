import type { Message } from '../message.ts';
import { equal, ok } from './assert.ts';
import {
  callsOf,
  userMessage,
  warnsOf,
  weatherTool,
  type ModelCase,
  type ModelFixture,
} from './model-fixture.ts';
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

const said = (id: string, text: string): Message => ({
  id,
  runId: 'run-1',
  role: 'assistant',
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
      ok(!json.includes('hidden thoughts'), 'thoughts of another vendor stay behind');
    },
  );

  it(
    'sends a message that another vendor only thought in, as if it were not there',
    { name: 'foreign-reasoning', replies: [answer] },
    async (test) => {
      const providerData = { 'another-vendor': { signature: 'foreign-provider-data' } };
      const thoughts: Message = {
        id: 'a1',
        runId: 'run-1',
        role: 'assistant',
        parts: [{ type: 'reasoning', text: 'hidden thoughts', providerData }],
      };
      await test.ask({ messages: [user('u1', 'One?'), thoughts, user('u2', 'Two?')] });
      const json = JSON.stringify(test.requests()[0]);
      ok(!/hidden thoughts|foreign-provider-data/.test(json), `they stay behind: ${json}`);
      inOrder(test, ['One?', 'Two?']);
    },
  );

  const turns = Array.from({ length: 150 }, (_, index) => `Turn ${index}.`);
  it(
    'sends a long conversation whole and in order',
    { name: 'long-history', replies: [answer] },
    async (test) => {
      const messages = turns.flatMap((text, index): Message[] => [
        user(`u${index}`, `${text} Ask.`),
        ...(index % 3 === 0 ? called(index) : []),
        ...(index < turns.length - 1 ? [said(`a${index}`, `${text} Answer.`)] : []),
      ]);
      await test.ask({ tools: [weatherTool], messages });
      inOrder(
        test,
        turns.flatMap((text, index) => [
          `${text} Ask.`,
          ...(index % 3 === 0 ? [`weather ${index}!`] : []),
          ...(index < turns.length - 1 ? [`${text} Answer.`] : []),
        ]),
      );
    },
  );

  it(
    'sends messages of one role that follow each other',
    { name: 'same-role-twice', replies: [answer] },
    async (test) => {
      const texts = ['First.', 'Second.', 'Third.', 'Fourth.', 'Fifth.'];
      const [a = '', b = '', c = '', d = '', e = ''] = texts;
      const messages = [user('u1', a), user('u2', b), said('a1', c), said('a2', d), user('u3', e)];
      await test.ask({ messages });
      inOrder(test, texts);
    },
  );

  it(
    'sends a conversation that begins with an answer',
    { name: 'assistant-first', replies: [answer] },
    async (test) => {
      await test.ask({ messages: [said('a1', 'Welcome.'), user('u1', 'Thanks.')] });
      inOrder(test, ['Welcome.', 'Thanks.']);
    },
  );

  it(
    'sends a conversation with messages that say nothing',
    { name: 'empty-texts', replies: [answer] },
    async (test) => {
      const messages: readonly Message[] = [
        user('u1', 'One?'),
        said('a1', ''),
        {
          ...user('u2', ''),
          parts: [
            { type: 'text', text: '' },
            { type: 'text', text: 'Two?' },
          ],
        },
        { id: 'a2', runId: 'run-1', role: 'assistant', parts: [] },
        user('u3', ''),
        user('u4', 'Three?'),
      ];
      await test.ask({ messages });
      inOrder(test, ['One?', 'Two?', 'Three?']);
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

/** A call of a tool and its result. */
function called(index: number, isError = false): readonly Message[] {
  const one = { callId: `f0.t${index}.c1`, toolName: 'get_weather' };
  const text = `weather ${index}!`;
  return [
    {
      id: `f0.t${index}`,
      runId: 'run-1',
      role: 'assistant',
      parts: [{ type: 'tool-call', ...one, input: { city: 'Oslo' } }],
    },
    {
      id: `f0.t${index}.r`,
      runId: 'run-1',
      role: 'tool',
      parts: [
        {
          type: 'tool-result',
          ...one,
          output: { type: 'content', parts: [{ type: 'text', text }] },
          ...(isError ? { isError } : {}),
        },
      ],
    },
  ];
}

/** The texts are in the messages of the request, one after the other. */
function inOrder(test: ModelFixture, texts: readonly string[]): void {
  const all = test
    .sent()
    .messages.map(({ text }) => text)
    .join('\n');
  let at = 0;
  for (const text of texts) {
    const found = all.indexOf(text, at);
    ok(found >= at, `${text} is sent, after what comes before it: ${all.slice(0, 2_000)}`);
    at = found + text.length;
  }
}
