import type { Message } from '../message.ts';
import { equal, ok } from './assert.ts';
import { called, inOrder } from './model-checks.ts';
import { userMessage, weatherTool, type ModelCase } from './model-fixture.ts';
import type { ServerAnswer } from './model-scenario.ts';

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
}
