import { expect, it } from 'vitest';
import { capabilitiesOf } from './capabilities.ts';
import { azureAi, azureOpenAI, openai } from './index.ts';

it.each([
  ['gpt-5-mini', { parallelToolCalls: true, strictSchemas: true, images: true }],
  ['gpt-4.1-2025-04-14', { toolsWithStructuredOutput: true }],
  ['o3-mini', { parallelToolCalls: false, images: false }],
  ['o3', { images: true }],
  ['gpt-3.5-turbo', { strictSchemas: false, images: false }],
  ['gpt-4-0613', { images: false }],
  ['o1-mini', { tools: false, images: false }],
  ['o1', { tools: true }],
  ['gpt-5-mini', { tools: true }],
])('%s', (model, known) => expect(capabilitiesOf(model)).toMatchObject(known));

it.each(['my-deployment', 'DeepSeek-V3', 'gpt-oss:20b', undefined])('says nothing of %s', (model) =>
  expect(capabilitiesOf(model)).toBeUndefined(),
);

it('is what a model says of itself, also with settings', () => {
  expect(openai('gpt-5-mini').capabilities?.images).toBe(true);
  expect(openai('gpt-5-mini', { settings: { seed: 1 } }).capabilities?.images).toBe(true);
  expect(azureAi('DeepSeek-V3').capabilities).toBeUndefined();
});

it('a deployment is refused nothing for its name: gpt-4 is also what the one with vision is called', () => {
  expect(openai('gpt-4').capabilities?.images).toBe(false);
  expect(azureOpenAI('gpt-4').capabilities?.images).toBeUndefined();
  expect(azureOpenAI('o1-mini').capabilities).not.toHaveProperty('tools');
  expect(azureOpenAI('gpt-5-mini').capabilities).toMatchObject({ tools: true, images: true });
});
