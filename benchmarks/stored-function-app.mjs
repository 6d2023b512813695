// The Function App of C4 with its storage account configured: its SDKs are loaded when a run first needs them.
import { azureStorageStore } from '../packages/stores-azure-storage/dist/index.js';
import { AgentFunctionApp } from '../packages/azure-functions/dist/index.js';
import { Agent, jsonSchema, models, tool } from '../packages/core/dist/index.js';
import { openai } from '../packages/providers-openai/dist/index.js';

const weather = tool({
  name: 'get_weather',
  description: 'The weather in a city',
  effect: 'read',
  parameters: jsonSchema(
    { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
    { validate: (value) => value },
  ),
  execute: () => 'sunny',
});

export const app = new AgentFunctionApp({
  agents: [new Agent({ name: 'weather', model: 'openai/gpt-5-mini', tools: [weather] })],
  models: models({ openai }),
  store: azureStorageStore(),
});
