import { Agent, Runner, tool } from '@agent-functions/core';
import { openai } from '@agent-functions/providers-openai';
import { call, readObject, type Conversation, type Script } from 'demo-model';
import { startDemoServer } from 'demo-model/server';
import { expect, test } from 'vitest';
import { z } from 'zod';

const modelOf = async (script: Script) =>
  openai('offline-demo', {
    baseURL: await startDemoServer(script),
    apiKey: 'offline',
    api: 'chat',
  });

test('a script sees what the request shows, calls tools and answers with text', async () => {
  const seen: Conversation[] = [];
  const model = await modelOf((conversation) => {
    seen.push(conversation);
    const [done] = conversation.results;
    return done === undefined
      ? call('add', { a: 2, b: 3 })
      : { text: `The sum is ${String(readObject(done.output)?.['sum'])}.` };
  });
  const add = tool({
    name: 'add',
    description: 'Adds.',
    parameters: z.object({ a: z.number(), b: z.number() }),
    execute: ({ a, b }) => ({ sum: a + b }),
  });
  const agent = new Agent({ name: 'adder', instructions: 'You add.', model, tools: [add] });
  const result = await new Runner(agent).run('2 and 3?');
  expect(result.response).toBe('The sum is 5.');
  expect(seen).toMatchObject([
    { instructions: 'You add.', question: '2 and 3?', results: [], tools: ['add'] },
    { results: [{ tool: 'add', input: { a: 2, b: 3 }, output: '{"sum":5}' }], schema: undefined },
  ]);
});

test('a request for JSON carries its schema and is answered with JSON', async () => {
  const model = await modelOf(({ schema }) => ({
    json: { keys: Object.keys(schema ?? {}).length },
  }));
  const agent = new Agent({ name: 'counter', model, outputType: z.object({ keys: z.number() }) });
  const { finalOutput } = await new Runner(agent).run('How many?');
  expect(finalOutput?.keys).toBeGreaterThan(1);
});
