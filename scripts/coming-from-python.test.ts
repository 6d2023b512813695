// What docs/guides/coming-from-python.md says of the Python package's spellings.
import { AgentFunctionApp, LLMProvider } from '@agent-functions/azure-functions';
import {
  Agent,
  memoryStore,
  models,
  Runner,
  tool,
  type ChatRequest,
  type RunContext,
  type Store,
} from '@agent-functions/core';
import { collect, scriptedModel, verifyJournal } from '@agent-functions/core/testing';
import { openai } from '@agent-functions/providers-openai';
import { sqliteStore } from '@agent-functions/stores-sqlite';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { fakeOpenAI } from './lib/fake-openai.ts';

const getWeather = tool({
  name: 'get_weather',
  description: 'The weather of a city.',
  parameters: z.object({ city: z.string() }),
  effect: 'read',
  execute: ({ city }) => ({ city, temperature: 21 }),
});

async function verifyAll(store: Store): Promise<void> {
  const { runs } = await store.runs.list({ limit: 100 });
  for (const { runId } of runs) verifyJournal(await collect(store.runs.read(runId)));
}

test('the quick start: an agent with a tool and an llmConfig, in an AgentFunctionApp', async () => {
  await using server = await fakeOpenAI();
  const store = memoryStore();
  const agent = new Agent({
    name: 'WeatherBot',
    instructions: 'You are a helpful assistant with custom tools.',
    tools: [getWeather],
    llmConfig: {
      provider: LLMProvider.OPENAI,
      modelName: 'gpt-5-mini',
      apiKey: 'a-key-of-the-test',
      apiBase: server.baseUrl,
    },
  });
  const app = new AgentFunctionApp({
    agents: { WeatherBot: agent },
    models: models({ openai }),
    store,
  });
  const response = await app.fetch(
    new Request('http://localhost/api/WeatherBot/chat', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ message: 'What is the weather in Seattle?' }),
    }),
  );
  expect(response.status).toBe(200);
  expect(await response.json()).toMatchObject({
    status: 'completed',
    response: 'It is 21 °C in Seattle.',
    tool_results: [{ tool: 'get_weather', result: { city: 'Seattle', temperature: 21 } }],
  });
  await verifyAll(store);
});

test('instructions are a text or a function of the run, which may be asynchronous', async () => {
  const model = scriptedModel(['One.', 'Two.', 'Three.']);
  const greet = ({ userId }: RunContext) => `You speak with ${userId ?? 'nobody'}.`;
  for (const instructions of [
    'You speak with Ann.',
    greet,
    async (run: RunContext) => greet(run),
  ]) {
    await new Runner(new Agent({ name: 'guide', model, instructions })).run({
      message: 'Who am I?',
      userId: 'Ann',
    });
  }
  expect(model.requests.map((request) => request.instructions)).toEqual(
    Array.from({ length: 3 }, () => 'You speak with Ann.'),
  );
});

test('agent.tool() adds a tool until the agent has run', async () => {
  const agent = new Agent({
    name: 'bot',
    model: scriptedModel([{ calls: [['shout', { text: 'hi' }]] }, 'Done.']),
  }).tool({
    name: 'shout',
    description: 'Shouts.',
    parameters: z.object({ text: z.string() }),
    execute: ({ text }) => text.toUpperCase(),
  });
  const { toolResults } = await agent.chat('Shout hi.');
  expect(toolResults).toMatchObject([{ tool: 'shout', result: 'HI', isError: false }]);
  expect(() => agent.configurePrivacy({ exposeTools: true })).toThrow(/after the first run/);
  expect(() => agent.addMcpServer({ name: 'x', listTools: async () => [] })).toThrow(
    /after the first run/,
  );
});

test('configurePrivacy says what an agent shows: of instructions and tools nothing by default', () => {
  const agent = new Agent({ name: 'bot' });
  expect(agent.exposed).toEqual({ info: true, instructions: false, tools: false });
  expect(agent.configurePrivacy({ exposeTools: true }).exposed.tools).toBe(true);
});

test('enableParallelToolCalls reaches the model', async () => {
  const model = scriptedModel(['Hello.']);
  await new Agent({ name: 'bot', model, enableParallelToolCalls: false }).chat('Hi');
  expect(model.requests[0]?.settings.parallelToolCalls).toBe(false);
});

test('a Runner takes a text, an object, and messages; the response has what ChatResponse had', async () => {
  const store = memoryStore();
  const model = scriptedModel(() => 'Fine.');
  const runner = new Runner(new Agent({ name: 'bot', model }), { store });
  const request: ChatRequest = {
    message: 'How is the weather?',
    userId: 'user-123',
    sessionId: 'session-456',
    context: { location: 'Seattle' },
  };
  for (const input of [
    'How is the weather?',
    request,
    [{ role: 'user', content: 'How?' }] as const,
  ]) {
    expect((await runner.run(input)).response).toBe('Fine.');
  }
  const response = await runner.run(request);
  expect(response).toMatchObject({
    status: 'completed',
    sessionId: 'session-456',
    conversationId: 'session-456',
    context: { location: 'Seattle' },
    error: undefined,
  });
  expect(response.toJSON()).toMatchObject({
    status: 'completed',
    conversation_id: 'session-456',
    handoff_path: ['bot'],
    context: { location: 'Seattle' },
  });
  await verifyAll(store);
});

test('a subclass works around the whole run with processRequest, in one process', async () => {
  class Polite extends Agent {
    override async processRequest(request: ChatRequest) {
      return super.processRequest({ ...request, context: { polite: true } });
    }
  }
  const model = scriptedModel(() => 'Gladly.');
  const polite = new Polite({ name: 'polite', model });
  const { response, context } = await new Runner(polite, { store: memoryStore() }).run('go');
  expect([response, context]).toEqual(['Gladly.', { polite: true }]);
  const store = sqliteStore('never-opened.db');
  expect(() => new Runner(polite, { store })).toThrow(/overrides processRequest/);
  await store.close?.();
});

test('beforeRun and afterRun change what is recorded, where runs are durable', async () => {
  const store = memoryStore();
  const agent = new Agent({
    name: 'polite',
    model: scriptedModel(() => 'Done.'),
    beforeRun: () => ({ requestContext: { polite: true } }),
    afterRun: ({ response }) => ({ response: `${response} You are welcome.` }),
  });
  const result = await new Runner(agent, { store }).run('Go');
  expect([result.response, result.context]).toEqual(['Done. You are welcome.', { polite: true }]);
  await verifyAll(store);
});
