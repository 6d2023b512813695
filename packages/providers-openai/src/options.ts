import {
  UserError,
  type JsonObject,
  type LLMConfig,
  type ModelSettings,
  type TokenCredential,
} from '@agent-functions/core';
import type { OpenAI } from 'openai';
import { checkKinds } from './option-kinds.ts';

/** Which of OpenAI's two wire formats is spoken. */
export type OpenAIApi = 'responses' | 'chat';

/** The part of the SDK's client that a model uses: any `OpenAI` or `AzureOpenAI` instance is one. */
export type OpenAIClient = Pick<OpenAI, 'post' | 'baseURL'>;

/** The same for OpenAI, Azure OpenAI, Azure AI and compatible servers. */
export interface CommonOptions {
  /** Default: the environment, read when the model is first asked. */
  readonly apiKey?: string | undefined;
  /**
   * `'responses'` or `'chat'` (Chat Completions). Default: Responses where it is known to exist (OpenAI, Azure's v1
   * endpoint), Chat Completions at any other `baseURL` and at Azure's classic URLs.
   */
  readonly api?: OpenAIApi | undefined;
  /** Sent with every request. */
  readonly headers?: { readonly [name: string]: string } | undefined;
  /** Requests that share a beginning find its cache sooner under one key: a tenant, an agent. OpenAI and Azure OpenAI. */
  readonly promptCacheKey?: string | undefined;
  /** How the vendor treats (and prices) the requests, such as `'flex'` or `'priority'`. OpenAI and Azure OpenAI. */
  readonly serviceTier?: string | undefined;
  /** Put into every request body last: objects merge one level deep, arrays are appended, the rest replaces. */
  readonly extraBody?: JsonObject | undefined;
  /** Settings of every call, where the agent's own do not say otherwise. */
  readonly settings?: ModelSettings | undefined;
  /** Instead of `globalThis.fetch`. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** A client of the `openai` SDK to use as it is: its address and credentials count, ours do not. */
  readonly client?: OpenAIClient | undefined;
}

export interface OpenAIOptions extends CommonOptions {
  /** Where the API is. Default: `OPENAI_BASE_URL`, else `https://api.openai.com/v1`. */
  readonly baseURL?: string | undefined;
  /** Default: `OPENAI_ORG_ID`. */
  readonly organization?: string | undefined;
  /** Default: `OPENAI_PROJECT_ID`. */
  readonly project?: string | undefined;
}

export interface AzureOpenAIOptions extends CommonOptions {
  /** `https://<resource>.openai.azure.com`, without a path. Default: `AZURE_OPENAI_ENDPOINT`. */
  readonly endpoint?: string | undefined;
  /** The whole base URL instead of `endpoint`, for a gateway in front of the resource. */
  readonly baseURL?: string | undefined;
  /**
   * A dated version (`'2024-10-21'`) chooses the classic deployments URL. Default: `AZURE_OPENAI_API_VERSION`; without
   * either, the v1 endpoint, which needs none.
   */
  readonly apiVersion?: string | undefined;
  /** Entra ID instead of a key: anything with `getToken(scopes)`. */
  readonly credential?: TokenCredential | undefined;
  /** What tokens are asked for. Default: `https://cognitiveservices.azure.com/.default`; other clouds have another. */
  readonly scope?: string | undefined;
}

export interface AzureAiOptions extends CommonOptions {
  /**
   * `https://<resource>.services.ai.azure.com`, of a project with its path. With `/models` at the end: the Model Inference
   * API. Default: `AZURE_AI_ENDPOINT`, else `AZURE_INFERENCE_ENDPOINT`.
   */
  readonly endpoint?: string | undefined;
  /** The whole base URL instead of `endpoint`, for a gateway in front of the resource. */
  readonly baseURL?: string | undefined;
  /** Default: `AZURE_AI_API_VERSION`; the v1 endpoint needs none. */
  readonly apiVersion?: string | undefined;
  /** Entra ID instead of a key: anything with `getToken(scopes)`. */
  readonly credential?: TokenCredential | undefined;
  /** What tokens are asked for. Default: `https://ai.azure.com/.default`; other clouds have another. */
  readonly scope?: string | undefined;
}

/** What the factories make of all spellings. */
export interface Settings {
  readonly provider: 'openai' | 'azure_openai' | 'azure_ai';
  readonly model: string | undefined;
  readonly apiKey: string | undefined;
  readonly api: OpenAIApi | undefined;
  readonly baseURL: string | undefined;
  readonly endpoint: string | undefined;
  readonly apiVersion: string | undefined;
  readonly credential: TokenCredential | undefined;
  readonly scope: string | undefined;
  readonly organization: string | undefined;
  readonly project: string | undefined;
  readonly headers: { readonly [name: string]: string };
  readonly extraBody: JsonObject;
  readonly defaults: ModelSettings;
  readonly fetch: typeof globalThis.fetch | undefined;
  readonly client: OpenAIClient | undefined;
}

type Raw = Partial<LLMConfig> & Partial<OpenAIOptions> & Partial<AzureOpenAIOptions> & Spellings;

/** Names of the Python package's `LLMConfig` beside the ones above. */
interface Spellings {
  readonly apiBase?: string | undefined;
  readonly azureEndpoint?: string | undefined;
  readonly azureDeployment?: string | undefined;
}

const known: ReadonlySet<string> = new Set([
  'provider',
  'modelName',
  'model',
  'apiKey',
  'api',
  'baseURL',
  'apiBase',
  'endpoint',
  'azureEndpoint',
  'deployment',
  'azureDeployment',
  'apiVersion',
  'credential',
  'scope',
  'organization',
  'project',
  'headers',
  'extraHeaders',
  'extraBody',
  'promptCacheKey',
  'serviceTier',
  'settings',
  'temperature',
  'maxTokens',
  'timeoutMs',
  'maxRetries',
  'fetch',
  'client',
]);

const onlyAzure = [
  'azureEndpoint',
  'deployment',
  'azureDeployment',
  'apiVersion',
  'credential',
  'scope',
];

/**
 * One form of all spellings: `openai('gpt-5-mini', {...})`, and an `LLMConfig` with the Python package's names.
 *
 * @throws UserError for an option that does not exist here or is of another kind, and for two that contradict each other.
 */
export function toSettings(
  provider: Settings['provider'],
  model: string | LLMConfig | undefined,
  options: OpenAIOptions | AzureOpenAIOptions | AzureAiOptions = {},
): Settings {
  const factory = factories[provider];
  const raw: Raw = typeof model === 'object' ? { ...model, ...options } : { ...options };
  checkNames(factory, provider, raw);
  checkKinds(factory, raw);
  const name =
    typeof model === 'string'
      ? model
      : (raw.deployment ?? raw.azureDeployment ?? raw.modelName ?? text(raw['model']));
  if (provider === 'openai' && text(name) === undefined) {
    throw new UserError(`${factory} needs the name of a model: openai('gpt-5-mini').`);
  }
  if (raw.apiKey !== undefined && raw.credential !== undefined) {
    throw new UserError(`${factory} got both apiKey and credential. Give one of them.`);
  }
  return {
    provider,
    model: text(name),
    apiKey: text(raw.apiKey),
    api: api(factory, raw.api),
    baseURL:
      text(raw.baseURL) ??
      text(raw.apiBase) ??
      (provider === 'openai' ? text(raw.endpoint) : undefined),
    endpoint: text(raw.endpoint) ?? text(raw.azureEndpoint),
    apiVersion: text(raw.apiVersion),
    credential: raw.credential,
    scope: text(raw.scope),
    organization: text(raw.organization),
    project: text(raw.project),
    headers: { ...raw.extraHeaders, ...raw.headers },
    extraBody: {
      ...(raw.promptCacheKey === undefined ? {} : { prompt_cache_key: raw.promptCacheKey }),
      ...(raw.serviceTier === undefined ? {} : { service_tier: raw.serviceTier }),
      ...raw.extraBody,
    },
    defaults: defaultsOf(raw),
    fetch: raw.fetch,
    client: raw.client,
  };
}

const factories: { readonly [provider in Settings['provider']]: string } = {
  openai: 'openai()',
  azure_openai: 'azureOpenAI()',
  azure_ai: 'azureAi()',
};

function checkNames(factory: string, provider: Settings['provider'], raw: Raw): void {
  for (const [name, value] of Object.entries(raw)) {
    if (value === undefined) continue;
    if (name === 'timeout') {
      throw new UserError(
        `${factory} has no option timeout, because its unit would be a guess. Write timeoutMs, in milliseconds.`,
      );
    }
    if (!known.has(name)) {
      throw new UserError(
        `${factory} has no option ${JSON.stringify(name)}. Fields of the request body go into extraBody, headers into headers.`,
      );
    }
    if (provider === 'openai' && onlyAzure.includes(name)) {
      throw new UserError(
        `openai() has no option ${name}: it belongs to Azure OpenAI. Use azureOpenAI(), or provider: 'azure_openai'.`,
      );
    }
  }
}

function api(factory: string, value: unknown): OpenAIApi | undefined {
  if (value === undefined || value === 'responses' || value === 'chat') return value;
  throw new UserError(
    `${factory} got api: ${JSON.stringify(value)}. It is 'responses' or 'chat' (Chat Completions).`,
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
