import { expect, test } from 'vitest';
import { Agent } from './agent.ts';
import { memoryStore } from './memory-store.ts';
import { textOf, type Message } from './message.ts';
import { askForInput } from './question.ts';
import { Runner } from './runner.ts';
import { jsonSchema } from './schema.ts';
import { scriptedModel } from './testing/index.ts';
import { tool } from './tool.ts';

const ask = tool({
  name: 'ask',
  description: 'Asks.',
  effect: 'read',
  parameters: jsonSchema({ type: 'object' }, { validate: (value) => value }),
  execute: (_, { answer }) => answer ?? askForInput({ message: 'Which?' }),
});

function worker(onAbandoned: (messages: readonly Message[]) => void | Promise<void>) {
  const model = scriptedModel([{ calls: [{ toolName: 'ask', input: {} }] }, { text: 'Done.' }]);
  return new Agent({ name: 'worker', model, tools: [ask], onAbandoned });
}

test('an agent is told of a cancel that comes while its run waits for a person, elsewhere', async () => {
  const seen: string[][] = [];
  const store = memoryStore();
  const tell = (messages: readonly Message[]) => void seen.push(messages.map(textOf));
  const waiting = await new Runner(worker(tell), { store }).run('Look.');
  expect(waiting.status).toBe('interrupted');
  const other = new Runner(worker(tell), { store });
  await other.post(waiting.runId, { id: 'c', type: 'cancel' });
  const result = await other.resume(waiting.runId, []);
  expect(result.status).toBe('cancelled');
  expect(seen).toEqual([['Look.', '']]);
});

test('an agent that answered is not told, and one whose call fails changes nothing', async () => {
  let told = 0;
  const tell = () => {
    told += 1;
    throw new Error('Nobody listens.');
  };
  const runner = new Runner(worker(tell));
  const waiting = await runner.run('Look.');
  const [asked] = waiting.interruptions;
  const id = asked?.id ?? '';
  expect((await runner.resume(waiting.runId, [{ interruptionId: id, answer: 'a' }])).status).toBe(
    'completed',
  );
  expect(told).toBe(0);
  const failing = new Runner(
    new Agent({ name: 'lost', model: scriptedModel([]), onAbandoned: tell }),
  );
  expect((await failing.run('Look.')).status).toBe('failed');
  expect(told).toBe(1);
});
