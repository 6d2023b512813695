import type { Model } from '@agent-functions/core';
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

export {
  modelEvents as listen,
  modelRequest as asking,
  modelResponse as respond,
  rejection as failure,
  userMessage as user,
  weatherTool as weather,
} from '@agent-functions/core/testing';
