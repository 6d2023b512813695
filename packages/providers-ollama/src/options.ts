import {
  UserError,
  type JsonObject,
  type LLMConfig,
  type ModelSettings,
} from '@agent-functions/core';
import { checkKinds } from './option-kinds.ts';

/** The part of the SDK's client that is used: any `Ollama` instance of the `ollama` package is one. */
export interface OllamaClient {
  chat(request: unknown): Promise<unknown>;
  list(): Promise<unknown>;
}

/** Whether a model thinks, or how much where it knows levels (gpt-oss). */
export type Think = boolean | 'low' | 'medium' | 'high';

export interface OllamaOptions {
  /**
   * Where the server is: `http://gpu-box:11434`, or without the scheme or the port. Default: `OLLAMA_HOST`, else
   * `http://127.0.0.1:11434`.
   */
  readonly host?: string | undefined;
  /** Sent as a bearer token, for ollama.com and for servers behind a proxy. Default for ollama.com: `OLLAMA_API_KEY`. */
  readonly apiKey?: string | undefined;
  /** How long the server keeps the model in memory after the call: `'10m'`, seconds, 0 (unload), -1 (for ever). */
  readonly keepAlive?: string | number | undefined;
  /** The context window in tokens. The server's default is small, and what does not fit is cut off by it in silence. */
  readonly numCtx?: number | undefined;
  /** Thinking, where a call's `settings.reasoning` does not say otherwise. Default: as the model does by itself. */
  readonly think?: Think | undefined;
  /** Sent with every request. */
  readonly headers?: { readonly [name: string]: string } | undefined;
  /** Put into every request body last: objects merge one level deep, arrays are appended, the rest replaces. */
  readonly extraBody?: JsonObject | undefined;
  /** Settings of every call, where the agent's own do not say otherwise. */
  readonly settings?: ModelSettings | undefined;
  /** Instead of `globalThis.fetch`. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /**
   * A client of the `ollama` SDK to use as it is: its host, headers and fetch count, ours do not. A call ends by the signal
   * of its run, not by the client's `abort()`.
   */
  readonly client?: OllamaClient | undefined;
}

/** What the factory makes of all spellings. */
export interface Settings {
  readonly model: string;
  readonly host: string | undefined;
  readonly apiKey: string | undefined;
  readonly keepAlive: string | number | undefined;
  readonly numCtx: number | undefined;
  readonly think: Think | undefined;
  readonly headers: { readonly [name: string]: string };
  readonly extraBody: JsonObject;
  readonly defaults: ModelSettings;
  readonly fetch: typeof globalThis.fetch | undefined;
  readonly client: OllamaClient | undefined;
}

type Raw = Partial<LLMConfig> & OllamaOptions;

const known: ReadonlySet<string> = new Set([
  'provider',
  'modelName',
  'model',
  'deployment',
  'host',
  'baseURL',
  'apiBase',
  'endpoint',
  'apiKey',
  'keepAlive',
  'numCtx',
  'think',
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

/**
 * One form of all spellings: `ollama('qwen3', {...})`, and an `LLMConfig` with the Python package's names.
 *
 * @throws UserError for an option that does not exist here, a value that it cannot have, and without a model's name.
 */
export function toSettings(model: string | LLMConfig, options: OllamaOptions = {}): Settings {
  const raw: Raw = typeof model === 'object' ? { ...model, ...options } : { ...options };
  checkNames(raw);
  checkKinds('ollama()', raw);
  const name = text(typeof model === 'string' ? model : (raw.modelName ?? raw['model']));
  if (name === undefined)
    throw new UserError("ollama() needs the name of a model: ollama('qwen3').");
  return {
    model: name,
    host: text(raw.host) ?? text(raw['baseURL']) ?? text(raw.apiBase) ?? text(raw.endpoint),
    apiKey: text(raw.apiKey),
    keepAlive: keepAlive(raw.keepAlive),
    numCtx: numCtx(raw.numCtx),
    think: think(raw.think),
    headers: { ...raw.extraHeaders, ...raw.headers },
    extraBody: raw.extraBody ?? {},
    defaults: defaultsOf(raw),
    fetch: raw.fetch,
    client: raw.client,
  };
}

function checkNames(raw: Raw): void {
  for (const [name, value] of Object.entries(raw)) {
    if (value === undefined) continue;
    if (name === 'timeout') {
      throw new UserError(
        'ollama() has no option timeout, because its unit would be a guess. Write timeoutMs, in milliseconds.',
      );
    }
    if (!known.has(name)) {
      throw new UserError(
        `ollama() has no option ${JSON.stringify(name)}. Fields of the request body go into extraBody, such as { options: { top_k: 20 } }; headers into headers.`,
      );
    }
  }
}

function keepAlive(value: unknown): string | number | undefined {
  if (value === undefined || typeof value === 'string' || typeof value === 'number') return value;
  throw new UserError(
    `ollama() got keepAlive: ${JSON.stringify(value)}. It is a duration such as '10m', or a number of seconds.`,
  );
}

function numCtx(value: unknown): number | undefined {
  if (value === undefined) return value;
  if (typeof value === 'number' && Number.isInteger(value) && value > 0) return value;
  throw new UserError(
    `ollama() got numCtx: ${JSON.stringify(value)}. It is the context window in tokens, such as 16384.`,
  );
}

function think(value: unknown): Think | undefined {
  if (value === undefined || typeof value === 'boolean') return value;
  if (value === 'low' || value === 'medium' || value === 'high') return value;
  throw new UserError(
    `ollama() got think: ${JSON.stringify(value)}. It is true, false, 'low', 'medium' or 'high'; other levels of a model go into extraBody.`,
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
