import {
  UserError,
  type JsonObject,
  type LLMConfig,
  type ModelSettings,
} from '@agent-functions/core';
import type { Anthropic } from '@anthropic-ai/sdk';
import { checkKinds } from './option-kinds.ts';

/**
 * The part of the SDK's client that a model uses: any `Anthropic`, `AnthropicFoundry`, `AnthropicVertex` or
 * `AnthropicBedrock` instance is one.
 */
export type AnthropicClient = Pick<Anthropic, 'post' | 'baseURL'>;

export interface AnthropicOptions {
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
  /** Sent with every request. */
  readonly headers?: { readonly [name: string]: string } | undefined;
  /** Put into every request body last: objects merge one level deep, arrays are appended, the rest replaces. */
  readonly extraBody?: JsonObject | undefined;
  /** Settings of every call, where the agent's own do not say otherwise. */
  readonly settings?: ModelSettings | undefined;
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

const known: ReadonlySet<string> = new Set([
  'provider',
  'modelName',
  'model',
  'deployment',
  'apiKey',
  'baseURL',
  'apiBase',
  'endpoint',
  'betas',
  'promptCaching',
  'headers',
  'extraHeaders',
  'extraBody',
  'settings',
  'temperature',
  'maxTokens',
  'timeoutMs',
  'maxRetries',
  'fetch',
  'client',
]);

/** Names of an `LLMConfig` that belong to other vendors, and what to write here. */
const elsewhere: { readonly [name: string]: string } = {
  apiVersion: "Another version of the API goes into headers: { 'anthropic-version': '…' }.",
  organization: 'A key of Anthropic belongs to one organization already.',
  credential:
    'For Entra ID make an AnthropicFoundry of @anthropic-ai/foundry-sdk and pass it as client.',
};

/**
 * One form of all spellings: `anthropic('claude-…', {...})`, and an `LLMConfig` with the Python package's names.
 *
 * @throws UserError for an option that does not exist here or is of another kind, and without the name of a model.
 */
export function toSettings(model: string | LLMConfig, options: AnthropicOptions = {}): Settings {
  const raw: Raw = typeof model === 'object' ? { ...model, ...options } : { ...options };
  checkNames(raw);
  checkKinds('anthropic()', raw);
  const name =
    typeof model === 'string' ? model : (raw.modelName ?? text(raw['model']) ?? raw.deployment);
  if (text(name) === undefined) {
    throw new UserError(`anthropic() needs the name of a model: anthropic('claude-sonnet-5-5').`);
  }
  return {
    model: text(name) ?? '',
    apiKey: text(raw.apiKey),
    baseURL: text(raw.baseURL) ?? text(raw.apiBase) ?? text(raw.endpoint),
    betas: raw.betas ?? [],
    cache: cacheOf(raw.promptCaching),
    headers: { ...raw.extraHeaders, ...raw.headers },
    extraBody: raw.extraBody ?? {},
    defaults: defaultsOf(raw),
    fetch: raw.fetch,
    client: raw.client,
  };
}

function checkNames(raw: Raw): void {
  for (const [name, value] of Object.entries(raw)) {
    if (value === undefined || known.has(name)) continue;
    if (name === 'timeout') {
      throw new UserError(
        'anthropic() has no option timeout, because its unit would be a guess. Write timeoutMs, in milliseconds.',
      );
    }
    throw new UserError(
      `anthropic() has no option ${JSON.stringify(name)}. ${elsewhere[name] ?? 'Fields of the request body go into extraBody, headers into headers.'}`,
    );
  }
}

function cacheOf(value: unknown): Settings['cache'] {
  if (value === undefined || value === true || value === '5m') return '5m';
  if (value === false) return undefined;
  if (value === '1h') return value;
  throw new UserError(
    `anthropic() got promptCaching: ${JSON.stringify(value)}. It is true, false, '5m' or '1h'.`,
  );
}

function defaultsOf(raw: Raw): ModelSettings {
  const { temperature, maxTokens, timeoutMs, maxRetries } = raw;
  return {
    ...(temperature === undefined ? {} : { temperature }),
    ...(maxTokens === undefined ? {} : { maxTokens }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(maxRetries === undefined ? {} : { retry: { maxRetries } }),
    ...raw.settings,
  };
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}
