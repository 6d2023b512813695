export { anthropic } from './model.ts';
export type { AnthropicClient, AnthropicOptions } from './options.ts';
