import { expect, test } from 'vitest';
import { z } from 'zod';
import { journalOf, reloaded, testClock, typesOf } from '../test/engine.ts';
import { Agent } from './agent.ts';
import { memoryStore } from './memory-store.ts';
import { askForInput, waitForCallback } from './question.ts';
import { Runner } from './runner.ts';
import type { Store } from './store.ts';
import { scriptedModel } from './testing/index.ts';
import { tool } from './tool.ts';

/** An agent whose tool asks for an account, then for a confirmation, then pays. */
function teller(seen: unknown[] = []) {
  const pay = tool({
    name: 'pay',
    description: 'Pays',
    parameters: z.object({ amount: z.number() }),
    execute: ({ amount }, { answer, lastCheckpoint }) => {
      seen.push([answer ?? null, lastCheckpoint ?? null]);
      if (answer === undefined) {
        return askForInput({
          message: 'From which account?',
          schema: { type: 'string' },
          checkpoint: { asked: 'account' },
        });
      }
      if (JSON.stringify(lastCheckpoint) === '{"asked":"account"}') {
        return askForInput({ message: 'Sure?', checkpoint: { account: answer } });
      }
      return { paid: amount, from: lastCheckpoint, sure: answer };
    },
  });
  const model = scriptedModel([{ calls: [['pay', { amount: 7 }]] }, 'Paid.'], {
    by: 'conversation',
  });
  return new Agent({ name: 'teller', model, tools: [pay] });
}

test('a tool asks, goes on with the answer in another process, and asks again', async () => {
  const first = memoryStore();
  const asked = await new Runner(teller(), { store: first }).run('Pay 7.');
  expect(asked.status).toBe('interrupted');
  expect(asked.interruptions).toMatchObject([
    {
      id: 'f0.t1.c1.input',
      kind: 'input',
      toolName: 'pay',
      message: 'From which account?',
      schema: { required: ['answer'], properties: { answer: { type: 'string' } } },
    },
  ]);

  const second = await reloaded(first, asked.runId);
  const seen: unknown[] = [];
  const other = new Runner(teller(seen), { store: second });
  const again = await other.resume(asked.runId, [
    { interruptionId: 'f0.t1.c1.input', answer: 'savings' },
  ]);
  expect(again.interruptions).toMatchObject([{ id: 'f0.t1.c1.input2', message: 'Sure?' }]);

  const third = await reloaded(second, asked.runId);
  const done = await new Runner(teller(seen), { store: third }).resume(asked.runId, [
    { interruptionId: 'f0.t1.c1.input2', answer: true },
  ]);
  expect(done).toMatchObject({ status: 'completed', response: 'Paid.' });
  expect(done.toolResults.map(({ result }) => result)).toEqual([
    { paid: 7, from: { account: 'savings' }, sure: true },
  ]);
  expect(seen).toEqual([
    ['savings', { asked: 'account' }],
    [true, { account: 'savings' }],
  ]);
  const journal = await journalOf(third, asked.runId);
  expect(typesOf(journal).filter((type) => type === 'tool-start')).toHaveLength(3);
});

test('a callback is the result of its call', async () => {
  const order = tool({
    name: 'order',
    description: 'Orders',
    parameters: z.object({}),
    outputSchema: z.object({ id: z.number() }),
    execute: () => waitForCallback({ message: 'The shop answers.' }),
  });
  const model = scriptedModel([{ calls: [['order', {}]] }, 'Ordered.'], { by: 'conversation' });
  const runner = new Runner(new Agent({ name: 'buyer', model, tools: [order] }));
  for (const [answer, result] of [
    [{ id: 4 }, { id: 4 }],
    ['four', expect.stringContaining('does not fit its outputSchema')],
  ] as const) {
    const { runId, interruptions } = await runner.run('Order.');
    expect(interruptions).toMatchObject([{ kind: 'callback', message: 'The shop answers.' }]);
    const done = await runner.resume(runId, [{ interruptionId: 'f0.t1.c1.callback', answer }]);
    expect(done.toolResults.map((one) => one.result)).toEqual([result]);
    await journalOf(runner, runId);
  }
});

test('a question may be refused, and takes no other form of answer', async () => {
  const runner = new Runner(teller());
  const { runId } = await runner.run('Pay 7.');
  const interruptionId = 'f0.t1.c1.input';
  for (const wrong of [{ approved: true }, { outcome: 'not-done' }] as const) {
    await expect(runner.resume(runId, [{ interruptionId, ...wrong }])).rejects.toMatchObject({
      code: 'approval_invalid',
      message: expect.stringContaining('{ answer } or { approved: false, message? }'),
    });
  }
  const done = await runner.resume(runId, [{ interruptionId, approved: false }]);
  expect(done.toolResults).toMatchObject([
    { isError: true, result: 'pay asked and got no answer: it was refused.' },
  ]);
  await journalOf(runner, runId);
});

test('a question that nobody answers in time is refused by the system', async () => {
  const clock = testClock();
  const store: Store = memoryStore({ now: clock.now });
  const wait = tool({
    name: 'wait',
    description: 'Waits',
    parameters: z.object({}),
    execute: () => waitForCallback({ message: 'Soon.', timeoutMs: 1_000 }),
  });
  const model = scriptedModel([{ calls: [['wait', {}]] }, 'Too late.'], { by: 'conversation' });
  const runner = new Runner(new Agent({ name: 'waiter', model, tools: [wait] }), { store });
  const { runId } = await runner.run('Wait.');
  clock.pass(2_000);
  const done = await runner.resume(runId);
  expect(done).toMatchObject({ status: 'completed', response: 'Too late.' });
  expect(done.toolResults).toMatchObject([{ isError: true, result: 'Nobody answered in time.' }]);
  await journalOf(store, runId);
});

test('what is no question is refused', () => {
  expect(() => askForInput({ message: '' })).toThrow(/askForInput\(\)/);
  expect(() => waitForCallback({ message: 'Now.', timeoutMs: 0 })).toThrow(
    'timeoutMs of waitForCallback() is 0; it must be above 0.',
  );
});
