import type {
  Message,
  Model,
  ModelRequest,
  ModelResponse,
  ModelStreamEvent,
  ToolSpec,
} from '@agent-functions/core';
import { google, vertex, type CommonOptions } from '../src/index.ts';

/** One of the ways to ask. */
export interface Target {
  readonly name: string;
  readonly backend: 'gemini' | 'vertex';
  /** What the model is called; before Gemini 3 the wire has no call ids. */
  readonly modelId: string;
  readonly ids: boolean;
  /** Path and query of a stream. */
  readonly url: string;
  /** The header that proves who asks. */
  readonly auth: readonly [name: string, value: string];
  model(serverUrl: string, options?: CommonOptions): Model;
}

export const key = 'AIza-canary-0123456789';

/** A credential that gives one token. */
export const credential = (token: string = key) => ({
  getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 3_600_000 }),
});

const onVertex = '/v1beta1/projects/my-project/locations/europe-west4/publishers/google/models';

export const targets: readonly Target[] = [
  {
    name: 'Gemini API',
    backend: 'gemini',
    modelId: 'gemini-3.8-flash',
    ids: true,
    url: '/v1/models/gemini-3.8-flash:streamGenerateContent?alt=sse',
    auth: ['x-goog-api-key', key],
    model: (url, options) => google('gemini-3.8-flash', { baseURL: url, apiKey: key, ...options }),
  },
  {
    name: 'Vertex AI',
    backend: 'vertex',
    modelId: 'gemini-3.8-flash',
    ids: true,
    url: `${onVertex}/gemini-3.8-flash:streamGenerateContent?alt=sse`,
    auth: ['authorization', `Bearer ${key}`],
    model: (url, { apiKey = key, ...options } = {}) =>
      vertex('gemini-3.8-flash', {
        baseURL: url,
        project: 'my-project',
        location: 'europe-west4',
        credential: credential(apiKey),
        ...options,
      }),
  },
  {
    name: 'Gemini API, 2.5',
    backend: 'gemini',
    modelId: 'gemini-2.5-flash',
    ids: false,
    url: '/v1/models/gemini-2.5-flash:streamGenerateContent?alt=sse',
    auth: ['x-goog-api-key', key],
    model: (url, options) => google('gemini-2.5-flash', { baseURL: url, apiKey: key, ...options }),
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
