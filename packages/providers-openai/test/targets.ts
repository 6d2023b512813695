import type { Model } from '@agent-functions/core';
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

export {
  modelEvents as listen,
  modelRequest as asking,
  modelResponse as respond,
  rejection as failure,
  userMessage as user,
  weatherTool as weather,
} from '@agent-functions/core/testing';
