import { Agent, models, Runner, tool } from '@agent-functions/core';
import * as openaiPackage from '@agent-functions/providers-openai';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { harness } from '../../providers-openai/test/contract-harness.ts';
import { targets } from '../../providers-openai/test/targets.ts';
import * as azurePackage from './index.ts';

const { azureAi, azureOpenai } = azurePackage;

it('is all of Azure in providers-openai: the same functions, and nothing else', () => {
  const ofAzure = Object.entries(openaiPackage).filter(([name]) => name.startsWith('azure'));
  expect(ofAzure.map(([name]) => name)).toEqual(['azureAi', 'azureOpenAI', 'azureOpenai']);
  for (const [name, factory] of Object.entries(azurePackage)) {
    expect(factory, name).toBe(Object.fromEntries(ofAzure)[name]);
  }
  expect(Object.keys(azurePackage)).toHaveLength(ofAzure.length);
});

const wires = targets.filter(({ provider }) => provider !== 'openai');

it.each(wires)('models({ … }) answers by $name, with the result of a tool', async (wire) => {
  const replies = [
    {
      type: 'answer',
      calls: [{ id: 'call_1', toolName: 'get_weather', input: '{"city":"Köln"}' }],
      finish: 'tool-calls',
    },
    { type: 'answer', text: ['It rains ', 'in Köln.'], finish: 'stop' },
  ] as const;
  const registry = models({ azureOpenai, azureAi });
  const server = await harness({
    ...wire,
    model: (url, { apiKey } = {}) =>
      registry.model({
        provider: wire.provider,
        azureEndpoint: wire.url.startsWith('/models') ? `${url}/models` : url,
        azureDeployment: 'gpt-5-mini',
        apiKey,
        apiVersion: wire.url.split('api-version=')[1],
      }),
  }).make({ name: 'text', replies });
  try {
    const getWeather = tool({
      name: 'get_weather',
      description: 'The weather of a city, now.',
      parameters: z.object({ city: z.string() }),
      effect: 'read',
      execute: ({ city }) => `Rain over ${city}.`,
    });
    const agent = new Agent({ name: 'weather', model: server.model, tools: [getWeather] });
    const result = await new Runner(agent).run('How is it in Köln?');
    expect(result.response).toBe('It rains in Köln.');
    expect(JSON.stringify(server.requests().at(-1))).toContain('Rain over Köln.');
    expect(server.requests().flatMap((request) => server.faults(request))).toEqual([]);
  } finally {
    await server.dispose();
  }
});
