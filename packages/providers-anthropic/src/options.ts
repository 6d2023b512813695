import {
  UserError,
  type JsonObject,
  type LLMConfig,
  type ModelSettings,
} from '@agent-functions/core';
import {
  checkOptions,
  defaultSettings,
  optionText,
  type ProviderOptions,
} from '@agent-functions/core/provider';
import type { Anthropic } from '@anthropic-ai/sdk';
import { anthropicKinds, elsewhere } from './option-kinds.ts';

/**
 * The part of the SDK's client that a model uses: any `Anthropic`, `AnthropicFoundry`, `AnthropicVertex` or
 * `AnthropicBedrock` instance is one.
 */
export type AnthropicClient = Pick<Anthropic, 'post' | 'baseURL'>;

export interface AnthropicOptions extends ProviderOptions {
  /** Default: `ANTHROPIC_API_KEY`, else a token in `ANTHROPIC_AUTH_TOKEN`; read when the model is first asked. */
  readonly apiKey?: string | undefined;
  /** Where the API is, without `/v1`. Default: `ANTHROPIC_BASE_URL`, else `https://api.anthropic.com`. */
  readonly baseURL?: string | undefined;
  /** Beta features, sent as the header `anthropic-beta`. */
  readonly betas?: readonly string[] | undefined;
  /**
   * Marks instructions, tools and history for the vendor's prompt cache: what is read again costs a tenth, what is
   * written a quarter more (`'1h'`: twice as much, kept for an hour instead of five minutes). Default true; the history
   * is marked only where another turn is likely.
   */
  readonly promptCaching?: boolean | '5m' | '1h' | undefined;
  /** The most tokens of one answer, thinking included. Default: up to 64,000, within what the model can write. */
  readonly maxTokens?: number | undefined;
  /** Instead of `globalThis.fetch`. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** A client of the SDK to use as it is: its address and credentials count, ours do not. */
  readonly client?: AnthropicClient | undefined;
}

/** What the factory makes of all spellings. */
export interface Settings {
  readonly model: string;
  readonly apiKey: string | undefined;
  readonly baseURL: string | undefined;
  readonly betas: readonly string[];
  /** How long a marked prefix is kept; undefined: nothing is marked. */
  readonly cache: '5m' | '1h' | undefined;
  readonly headers: { readonly [name: string]: string };
  readonly extraBody: JsonObject;
  readonly defaults: ModelSettings;
  readonly fetch: typeof globalThis.fetch | undefined;
  readonly client: AnthropicClient | undefined;
}

type Raw = Partial<LLMConfig> & Partial<AnthropicOptions>;

/**
 * One form of all spellings: `anthropic('claude-…', {...})`, and an `LLMConfig` with the Python package's names.
 *
 * @throws UserError for an option that does not exist here or is of another kind, and without the name of a model.
 */
export function toSettings(model: string | LLMConfig, options: AnthropicOptions = {}): Settings {
  const raw: Raw = typeof model === 'object' ? { ...model, ...options } : { ...options };
  checkOptions('anthropic()', raw, anthropicKinds, elsewhere);
  const name =
    typeof model === 'string'
      ? model
      : (raw.modelName ?? optionText(raw['model']) ?? raw.deployment);
  if (optionText(name) === undefined) {
    throw new UserError(`anthropic() needs the name of a model: anthropic('claude-sonnet-5-5').`);
  }
  return {
    model: optionText(name) ?? '',
    apiKey: optionText(raw.apiKey),
    baseURL: optionText(raw.baseURL) ?? optionText(raw.apiBase) ?? optionText(raw.endpoint),
    betas: raw.betas ?? [],
    cache: cacheOf(raw.promptCaching),
    headers: { ...raw.extraHeaders, ...raw.headers },
    extraBody: raw.extraBody ?? {},
    defaults: defaultSettings(raw),
    fetch: raw.fetch,
    client: raw.client,
  };
}

function cacheOf(value: AnthropicOptions['promptCaching']): Settings['cache'] {
  if (value === false) return undefined;
  return value === '1h' ? value : '5m';
}
