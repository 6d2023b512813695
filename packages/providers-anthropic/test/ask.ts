import type {
  Message,
  Model,
  ModelRequest,
  ModelResponse,
  ModelStreamEvent,
  ToolSpec,
} from '@agent-functions/core';
import { anthropic, type AnthropicOptions } from '../src/index.ts';
import type { WireServer } from './wire-server.ts';

export const key = 'sk-ant-canary-0123456789';

export function claude(
  server: Pick<WireServer, 'url'>,
  options: AnthropicOptions & { readonly name?: string } = {},
): Model {
  const { name = 'claude-sonnet-5-5', ...rest } = options;
  return anthropic(name, { baseURL: server.url, apiKey: key, ...rest });
}

export function user(text: string, id = 'm1'): Message {
  return { id, runId: 'run_1', role: 'user', parts: [{ type: 'text', text }] };
}

export function asking(request: Partial<ModelRequest> = {}): ModelRequest {
  return { messages: [user('Hello')], tools: [], settings: {}, ...request };
}

export const weather: ToolSpec = Object.freeze({
  name: 'weather',
  description: 'The weather in a city',
  inputSchema: {
    type: 'object',
    properties: { city: { type: 'string' } },
    required: ['city'],
  },
  strict: true,
});

/** Everything that a call yields. */
export async function listen(
  model: Model,
  request: ModelRequest = asking(),
  signal: AbortSignal = new AbortController().signal,
): Promise<ModelStreamEvent[]> {
  const events: ModelStreamEvent[] = [];
  for await (const event of model.stream(request, { signal })) events.push(event);
  return events;
}

/** The response of a call. */
export async function respond(model: Model, request?: ModelRequest): Promise<ModelResponse> {
  const last = (await listen(model, request)).at(-1);
  if (last?.type !== 'response') throw new Error('no response');
  return last.response;
}

/** What a call throws. */
export async function failure(call: Promise<unknown>): Promise<unknown> {
  try {
    await call;
  } catch (error) {
    return error;
  }
  throw new Error('it did not fail');
}
