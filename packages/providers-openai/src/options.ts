import {
  UserError,
  type JsonObject,
  type LLMConfig,
  type ModelSettings,
  type TokenCredential,
} from '@agent-functions/core';
import {
  checkOptions,
  defaultSettings,
  optionText,
  type ProviderOptions,
} from '@agent-functions/core/provider';
import type { OpenAI } from 'openai';
import { azureHints, azureKinds, openAIKinds } from './option-kinds.ts';

/** Which of OpenAI's two wire formats is spoken. */
export type OpenAIApi = 'responses' | 'chat';

/** The part of the SDK's client that a model uses: any `OpenAI` or `AzureOpenAI` instance is one. */
export type OpenAIClient = Pick<OpenAI, 'post' | 'baseURL'>;

/** The same for OpenAI, Azure OpenAI, Azure AI and compatible servers. */
export interface CommonOptions extends ProviderOptions {
  /** Default: the environment, read when the model is first asked. */
  readonly apiKey?: string | undefined;
  /**
   * `'responses'` or `'chat'` (Chat Completions). Default: Responses where it is known to exist (OpenAI, Azure's v1
   * endpoint), Chat Completions at any other `baseURL` and at Azure's classic URLs.
   */
  readonly api?: OpenAIApi | undefined;
  /** Requests that share a beginning find its cache sooner under one key: a tenant, an agent. OpenAI and Azure OpenAI. */
  readonly promptCacheKey?: string | undefined;
  /** How the vendor treats (and prices) the requests, such as `'flex'` or `'priority'`. OpenAI and Azure OpenAI. */
  readonly serviceTier?: string | undefined;
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
  checkOptions(factory, raw, provider === 'openai' ? openAIKinds : azureKinds, azureHints);
  const name =
    typeof model === 'string'
      ? model
      : (raw.deployment ?? raw.azureDeployment ?? raw.modelName ?? optionText(raw['model']));
  if (provider === 'openai' && optionText(name) === undefined) {
    throw new UserError(`${factory} needs the name of a model: openai('gpt-5-mini').`);
  }
  if (raw.apiKey !== undefined && raw.credential !== undefined) {
    throw new UserError(`${factory} got both apiKey and credential. Give one of them.`);
  }
  return {
    provider,
    model: optionText(name),
    apiKey: optionText(raw.apiKey),
    api: raw.api,
    baseURL:
      optionText(raw.baseURL) ??
      optionText(raw.apiBase) ??
      (provider === 'openai' ? optionText(raw.endpoint) : undefined),
    endpoint: optionText(raw.endpoint) ?? optionText(raw.azureEndpoint),
    apiVersion: optionText(raw.apiVersion),
    credential: raw.credential,
    scope: optionText(raw.scope),
    organization: optionText(raw.organization),
    project: optionText(raw.project),
    headers: { ...raw.extraHeaders, ...raw.headers },
    extraBody: {
      ...(raw.promptCacheKey === undefined ? {} : { prompt_cache_key: raw.promptCacheKey }),
      ...(raw.serviceTier === undefined ? {} : { service_tier: raw.serviceTier }),
      ...raw.extraBody,
    },
    defaults: defaultSettings(raw),
    fetch: raw.fetch,
    client: raw.client,
  };
}

const factories: { readonly [provider in Settings['provider']]: string } = {
  openai: 'openai()',
  azure_openai: 'azureOpenAI()',
  azure_ai: 'azureAi()',
};
