/** A whole Function App whose runs are kept in its storage account: what C2, C4 and C6 count. */
import { AgentFunctionApp } from '@agent-functions/azure-functions';
import { Agent, jsonSchema, models, tool } from '@agent-functions/core';
import { openai } from '@agent-functions/providers-openai';
import { azureStorageStore } from '@agent-functions/stores-azure-storage';

const weather = tool({
  name: 'get_weather',
  description: 'Weather in a city',
  effect: 'read',
  parameters: jsonSchema(
    { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
    { validate: (value) => value },
  ),
  execute: () => 'sunny',
});

export const app = new AgentFunctionApp({
  agents: [new Agent({ name: 'stored', model: 'openai/gpt-5-mini', tools: [weather] })],
  models: models({ openai }),
  store: azureStorageStore(),
});
