import type { JsonObject } from '../json.ts';
import type { ModelSettings } from '../model.ts';
import { optionKinds, type OptionKinds } from './option-kinds.ts';

/** Options that every provider has. */
export interface ProviderOptions {
  /** Sent with every request. */
  readonly headers?: { readonly [name: string]: string } | undefined;
  /** Put into every request body last: objects merge one level deep, arrays are appended, the rest replaces. */
  readonly extraBody?: JsonObject | undefined;
  /** Settings of every call, where the agent's own do not say otherwise. */
  readonly settings?: ModelSettings | undefined;
}

/** Settings of every call, as an `LLMConfig` says them. */
export interface LLMConfigOptions {
  readonly temperature?: number | undefined;
  readonly maxTokens?: number | undefined;
  readonly timeoutMs?: number | undefined;
  readonly maxRetries?: number | undefined;
}

/** What they may be, and what an `LLMConfig` has beside them for every provider. */
export const commonKinds = {
  provider: optionKinds.any,
  modelName: optionKinds.any,
  model: optionKinds.any,
  apiKey: optionKinds.key,
  apiBase: optionKinds.address,
  baseURL: optionKinds.address,
  endpoint: optionKinds.address,
  headers: optionKinds.headers,
  extraHeaders: optionKinds.headers,
  extraBody: optionKinds.fields,
  settings: optionKinds.settings,
  temperature: optionKinds.number,
  maxTokens: optionKinds.number,
  timeoutMs: optionKinds.number,
  maxRetries: optionKinds.number,
  fetch: optionKinds.fetch,
} as const satisfies OptionKinds;

/** The settings of every call: those of `settings`, and where they say nothing those of an `LLMConfig`. */
export function defaultSettings(
  options: LLMConfigOptions & Pick<ProviderOptions, 'settings'>,
): ModelSettings {
  const { temperature, maxTokens, timeoutMs, maxRetries } = options;
  return {
    ...(temperature === undefined ? {} : { temperature }),
    ...(maxTokens === undefined ? {} : { maxTokens }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(maxRetries === undefined ? {} : { retry: { maxRetries } }),
    ...options.settings,
  };
}

/** The text of an option, trimmed; one that is empty is as good as none. */
export function optionText(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}
