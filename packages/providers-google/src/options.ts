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
import type { GoogleGenAI, Models } from '@google/genai';
import { googleKinds } from './option-kinds.ts';

/** The provider's name, in models, errors and `providerData`: the Gemini API and Vertex AI are one. */
export const provider = 'google';

/** The part of the SDK's client that a model uses: any `GoogleGenAI` instance is one. */
export interface GoogleClient extends Pick<GoogleGenAI, 'vertexai'> {
  readonly models: Pick<Models, 'generateContent' | 'generateContentStream'>;
}

/**
 * Who asks, for Vertex AI: `getToken(scopes)` as core's credentials have it, or `getAccessToken()` as
 * google-auth-library's clients do. Neither library is imported.
 */
export type GoogleCredential =
  | TokenCredential
  | {
      getAccessToken(): Promise<
        string | null | undefined | { readonly token?: string | null | undefined }
      >;
    };

/** The same for the Gemini API and for Vertex AI. */
export interface CommonOptions extends ProviderOptions {
  /** Default for the Gemini API: `GOOGLE_API_KEY`, else `GEMINI_API_KEY`. With Vertex AI: a key of its express mode. */
  readonly apiKey?: string | undefined;
  /** Where the API is, without a version. Default: `GOOGLE_GEMINI_BASE_URL` or `GOOGLE_VERTEX_BASE_URL`, else Google. */
  readonly baseURL?: string | undefined;
  /** `'v1'`, `'v1beta'`, … Default: `GOOGLE_GENAI_API_VERSION`, else what the SDK takes for this API. */
  readonly apiVersion?: string | undefined;
  /** Instead of `globalThis.fetch`. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** A client of `@google/genai` to use as it is: its address and credentials count, ours do not. */
  readonly client?: GoogleClient | undefined;
}

export interface VertexOptions extends CommonOptions {
  /** The Google Cloud project. Default: `GOOGLE_CLOUD_PROJECT`. */
  readonly project?: string | undefined;
  /** A region, `'us'`, `'eu'` or `'global'`. Default: `GOOGLE_CLOUD_LOCATION`, else `'global'`. */
  readonly location?: string | undefined;
  /** Default: the application default credentials, found by the SDK's own auth library. */
  readonly credential?: GoogleCredential | undefined;
}

export interface GoogleOptions extends VertexOptions {
  /**
   * `true`: Vertex AI, with `project`, `location` and `credential`; `false`: the Gemini API. Default: Vertex AI where a
   * project, location or credential is given, or `GOOGLE_GENAI_USE_VERTEXAI` is `true`.
   */
  readonly vertexai?: boolean | undefined;
}

/** What the factories make of all spellings. */
export interface Settings {
  readonly model: string;
  /** `undefined`: the environment decides. */
  readonly vertexai: boolean | undefined;
  readonly apiKey: string | undefined;
  readonly baseURL: string | undefined;
  readonly apiVersion: string | undefined;
  readonly project: string | undefined;
  readonly location: string | undefined;
  readonly credential: GoogleCredential | undefined;
  readonly headers: { readonly [name: string]: string };
  readonly extraBody: JsonObject;
  readonly defaults: ModelSettings;
  readonly fetch: typeof globalThis.fetch | undefined;
  readonly client: GoogleClient | undefined;
}

/** Our options, and the same by the names of the Python package's `LLMConfig`. */
interface Raw
  extends
    GoogleOptions,
    Pick<LLMConfig, 'modelName' | 'apiBase' | 'endpoint' | 'extraHeaders'>,
    Pick<LLMConfig, 'temperature' | 'maxTokens' | 'timeoutMs' | 'maxRetries'> {
  readonly model?: unknown;
}

/**
 * One form of all spellings: `google('gemini-3.8-flash', {...})`, and an `LLMConfig` with the Python package's names.
 *
 * @throws UserError for an option that does not exist here or is of another kind, for two that contradict each other, and without a name.
 */
export function toSettings(
  factory: 'google' | 'vertex',
  model: string | LLMConfig,
  options: GoogleOptions = {},
): Settings {
  const raw: Raw = typeof model === 'object' ? { ...model, ...options } : { ...options };
  checkOptions(`${factory}()`, raw, googleKinds);
  const name = typeof model === 'string' ? model : (raw.modelName ?? raw.model);
  const { project, location, credential } = raw;
  const cloud = project !== undefined || location !== undefined || credential !== undefined;
  if (raw.vertexai === false && (cloud || factory === 'vertex')) {
    throw new UserError(
      `${factory}() got vertexai: false together with ${factory === 'vertex' ? 'Vertex AI itself' : 'project, location or credential'}, which only Vertex AI has. Leave one of them out.`,
    );
  }
  if (raw.apiKey !== undefined && credential !== undefined) {
    throw new UserError(`${factory}() got both apiKey and credential. Give one of them.`);
  }
  return {
    model: modelName(factory, name),
    vertexai: factory === 'vertex' || cloud ? true : raw.vertexai,
    apiKey: optionText(raw.apiKey),
    baseURL: optionText(raw.baseURL) ?? optionText(raw.apiBase) ?? optionText(raw.endpoint),
    apiVersion: optionText(raw.apiVersion),
    project: optionText(project),
    location: optionText(location),
    credential,
    headers: { ...raw.extraHeaders, ...raw.headers },
    extraBody: raw.extraBody ?? {},
    defaults: defaultSettings(raw),
    fetch: raw.fetch,
    client: raw.client,
  };
}

function modelName(factory: string, name: unknown): string {
  const given = optionText(name);
  if (given === undefined) {
    throw new UserError(`${factory}() needs the name of a model: ${factory}('gemini-3.8-flash').`);
  }
  // What the SDK refuses, said before a run begins.
  if (/\.\.|[?&#\s]/.test(given)) {
    throw new UserError(
      `${factory}() got the model ${JSON.stringify(given)}. A name has no "..", "?", "&", "#" or blank.`,
    );
  }
  return given;
}
