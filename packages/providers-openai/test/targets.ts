import type {
  Message,
  Model,
  ModelRequest,
  ModelResponse,
  ModelStreamEvent,
  ToolSpec,
} from '@agent-functions/core';
import { azureAi, azureOpenAI, openai, type CommonOptions } from '../src/index.ts';
import { chatAnswer, responsesAnswer } from './wire-events.ts';

/** One of the ways to ask. */
export interface Target {
  readonly name: string;
  readonly wire: 'responses' | 'chat';
  readonly provider: 'openai' | 'azure_openai' | 'azure_ai';
  /** Path and query that a request must have. */
  readonly url: string;
  /** The header that proves who asks. */
  readonly auth: readonly [name: string, value: string];
  readonly answer: readonly string[];
  model(serverUrl: string, options?: CommonOptions): Model;
}

export const key = 'sk-canary-0123456789';

export const targets: readonly Target[] = [
  {
    name: 'Responses',
    wire: 'responses',
    provider: 'openai',
    url: '/v1/responses',
    auth: ['authorization', `Bearer ${key}`],
    answer: responsesAnswer,
    model: (url, options) =>
      openai('gpt-5-mini', { baseURL: `${url}/v1`, apiKey: key, api: 'responses', ...options }),
  },
  {
    name: 'Chat Completions',
    wire: 'chat',
    provider: 'openai',
    url: '/v1/chat/completions',
    auth: ['authorization', `Bearer ${key}`],
    answer: chatAnswer,
    model: (url, options) =>
      openai('gpt-5-mini', { baseURL: `${url}/v1`, apiKey: key, api: 'chat', ...options }),
  },
  {
    name: 'Azure v1',
    wire: 'responses',
    provider: 'azure_openai',
    url: '/openai/v1/responses',
    auth: ['api-key', key],
    answer: responsesAnswer,
    model: (url, options) => azureOpenAI('gpt-5-mini', { endpoint: url, apiKey: key, ...options }),
  },
  {
    name: 'Azure classic',
    wire: 'chat',
    provider: 'azure_openai',
    url: '/openai/deployments/gpt-5-mini/chat/completions?api-version=2024-10-21',
    auth: ['api-key', key],
    answer: chatAnswer,
    model: (url, options) =>
      azureOpenAI('gpt-5-mini', {
        endpoint: `${url}/`,
        apiKey: key,
        apiVersion: '2024-10-21',
        ...options,
      }),
  },
  {
    name: 'Azure AI',
    wire: 'chat',
    provider: 'azure_ai',
    url: '/openai/v1/chat/completions',
    auth: ['api-key', key],
    answer: chatAnswer,
    model: (url, options) => azureAi('gpt-5-mini', { endpoint: url, apiKey: key, ...options }),
  },
  {
    name: 'Azure AI, model inference',
    wire: 'chat',
    provider: 'azure_ai',
    url: '/models/chat/completions?api-version=2024-05-01-preview',
    auth: ['api-key', key],
    answer: chatAnswer,
    model: (url, options) =>
      azureAi('DeepSeek-V3', { endpoint: `${url}/models`, apiKey: key, ...options }),
  },
];

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

export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
}

export function deferred<T = void>(): Deferred<T> {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((settle) => (resolve = settle));
  return { promise, resolve };
}
