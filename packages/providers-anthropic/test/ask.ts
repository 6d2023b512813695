import type { Model } from '@agent-functions/core';
import type { WireServer } from '@agent-functions/core/testing';
import { anthropic, type AnthropicOptions } from '../src/index.ts';

export const key = 'sk-ant-canary-0123456789';

export function claude(
  server: Pick<WireServer, 'url'>,
  options: AnthropicOptions & { readonly name?: string } = {},
): Model {
  const { name = 'claude-sonnet-5-5', ...rest } = options;
  return anthropic(name, { baseURL: server.url, apiKey: key, ...rest });
}

export {
  modelEvents as listen,
  modelRequest as asking,
  modelResponse as respond,
  rejection as failure,
  userMessage as user,
  weatherTool as weather,
} from '@agent-functions/core/testing';
