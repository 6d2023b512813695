import { expect, test } from 'vitest';
import { journalOf, typesOf } from '../test/engine.ts';
import { Agent } from './agent.ts';
import { memoryStore } from './memory-store.ts';
import { textOf } from './message.ts';
import { Runner } from './runner.ts';
import { scriptedModel } from './testing/index.ts';

test('a transfer: the target answers the run, and has the next turn of the session', async () => {
  const billing = new Agent({
    name: 'billing',
    model: scriptedModel(['Your refund is on its way.', 'Nothing else?']),
  });
  const triage = new Agent({
    name: 'triage',
    model: scriptedModel([
      { calls: [['handoff_to_billing', { message: 'Refund 42', reason: 'money' }]] },
    ]),
    handoffs: [billing],
  });
  const store = memoryStore();
  const runner = new Runner(triage, { store });
  const result = await runner.run('I want my money back.', { sessionId: 's' });
  expect(result.status).toBe('completed');
  expect(result.response).toBe('Your refund is on its way.');
  expect(result.handoffPath).toEqual(['triage', 'billing']);
  expect(result.hops).toEqual([
    { from: 'triage', to: 'billing', primitive: 'transfer', reason: 'money' },
  ]);
  const journal = await journalOf(store, result.runId);
  expect(typesOf(journal)).toEqual([
    'run-start',
    'model-response',
    'handoff',
    'tool-result',
    'model-response',
    'frame-end',
    'frame-end',
    'run-end',
  ]);
  const next = await runner.run('Thanks.', { sessionId: 's' });
  expect(next.handoffPath).toEqual(['billing']);
  expect(next.response).toBe('Nothing else?');
});

test('agents named in one turn work side by side, and the caller puts their answers together', async () => {
  const [flight, hotel] = ['flight', 'hotel'].map(
    (name) => new Agent({ name, model: scriptedModel([`${name} is booked.`]) }),
  );
  if (flight === undefined || hotel === undefined) throw new Error();
  const model = scriptedModel([
    {
      calls: [
        ['flight', { message: 'To Rome' }],
        ['hotel', { message: 'In Rome' }],
      ],
    },
    'All is booked.',
  ]);
  const planner = new Agent({
    name: 'planner',
    model,
    tools: [flight.asTool(), hotel.asTool()],
  });
  const store = memoryStore();
  const result = await new Runner(planner, { store }).run('Rome, please.');
  expect(result.response).toBe('All is booked.');
  await journalOf(store, result.runId);
  expect(result.toolResults.map(({ result: one }) => one)).toEqual([
    'flight is booked.',
    'hotel is booked.',
  ]);
  expect(result.newMessages.map(textOf)).toEqual(['Rome, please.', '', '', 'All is booked.']);
});

test('a chain: each target gets the request and the answers before it', async () => {
  const models = [scriptedModel(['One.']), scriptedModel(['Two.'])];
  const [a, b] = models.map((model, index) => new Agent({ name: `a${index}`, model }));
  if (a === undefined || b === undefined) throw new Error();
  const head = new Agent({
    name: 'head',
    handoffConfig: { mode: 'sequential', targets: [{ agent: a }, { agent: b }] },
  });
  const result = await new Runner(head).run('Go.');
  expect(result.error).toBeUndefined();
  expect(result.response).toBe('Two.');
  expect(result.handoffPath).toEqual(['head', 'a0', 'a1']);
  expect(models[1]?.requests[0]?.messages.map(textOf)).toEqual(['Go.', 'a0 answered:\nOne.']);
  expect(result.newMessages.map(textOf)).toEqual(['Go.', 'Two.']);
});

test('handoffTo begins with the handoff, and the caller may go on with the answer', async () => {
  const model = scriptedModel(['Booked, says flight.']);
  const flight = new Agent({ name: 'flight', model: scriptedModel(['BA 1.', 'BA 2.']) });
  const planner = new Agent({ name: 'planner', model, handoffs: [flight] });
  const store = memoryStore();
  const runner = new Runner(planner, { store });
  expect(runner.canHandoffTo('flight')).toBe(true);
  const whole = await runner.handoffTo({
    targetAgent: 'flight',
    inputData: { message: 'To Rome' },
    conversationId: 's',
    reason: 'asked for',
  });
  expect(whole.response).toBe('BA 1.');
  expect(whole.hops).toEqual([
    { from: 'planner', to: 'flight', primitive: 'transfer', reason: 'asked for' },
  ]);
  const back = await runner.handoffTo({
    targetAgent: 'flight',
    inputData: 'To Rome',
    expectedReturn: 'return_to_caller',
  });
  expect(back.response).toBe('Booked, says flight.');
  expect(model.requests[0]?.messages.map(textOf)).toEqual(['To Rome', 'flight answered:\nBA 2.']);
  await expect(runner.handoffTo({ targetAgent: 'hotel', inputData: '' })).rejects.toThrow(
    'Agent planner does not hand off to "hotel". Its handoffs: flight.',
  );
  await runner.resetConversation('s');
  expect(await store.sessions.load('s')).toMatchObject({ messages: [], activeAgent: 'planner' });
  await journalOf(store, whole.runId);
  await journalOf(store, back.runId);
});

test.each([
  ['word for word', { mode: 'coordinator', defaultReturn: 'bubble_up' }],
  ['of a chain', { mode: 'sequential' }],
] as const)(
  'an answer that is passed on, %s, must pass the guardrails of who passes it on',
  async (_how, config) => {
    const seen: unknown[] = [];
    const planner = (action: 'rewrite' | 'reject') =>
      new Agent({
        name: 'planner',
        model: scriptedModel([{ calls: [['handoff_to_flight', { message: 'To Rome' }]] }]),
        handoffConfig: {
          ...config,
          targets: [
            { agent: new Agent({ name: 'flight', model: scriptedModel(['BA 1, 666 €.']) }) },
          ],
        },
        outputGuardrails: [
          {
            name: 'prices',
            check: ({ value }) => {
              seen.push(value);
              return action === 'rewrite'
                ? { action, value: 'BA 1.' }
                : { action, message: 'No prices.' };
            },
          },
        ],
      });
    const store = memoryStore();
    const rewritten = await new Runner(planner('rewrite'), { store }).run('Rome.', {
      sessionId: 's',
    });
    expect(rewritten).toMatchObject({ status: 'completed', response: 'BA 1.' });
    expect((await store.sessions.load('s')).messages.map(textOf)).toContain('BA 1.');
    expect(rewritten.newMessages.map(textOf).at(-1)).toBe('BA 1.');
    const rejected = await new Runner(planner('reject'), { store }).run('Rome.');
    expect(rejected.error).toEqual({ code: 'guardrail_rejected', message: 'No prices.' });
    expect(seen).toEqual(['BA 1, 666 €.', 'BA 1, 666 €.']);
    for (const { runId } of [rewritten, rejected]) await journalOf(store, runId);
  },
);
