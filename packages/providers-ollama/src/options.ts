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
import { ollamaKinds } from './option-kinds.ts';

/** The part of the SDK's client that is used: any `Ollama` instance of the `ollama` package is one. */
export interface OllamaClient {
  chat(request: unknown): Promise<unknown>;
  list(): Promise<unknown>;
}

/** Whether a model thinks, or how much where it knows levels (gpt-oss). */
export type Think = boolean | 'low' | 'medium' | 'high';

export interface OllamaOptions extends ProviderOptions {
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

/**
 * One form of all spellings: `ollama('qwen3', {...})`, and an `LLMConfig` with the Python package's names.
 *
 * @throws UserError for an option that does not exist here, a value that it cannot have, and without a model's name.
 */
export function toSettings(model: string | LLMConfig, options: OllamaOptions = {}): Settings {
  const raw: Raw = typeof model === 'object' ? { ...model, ...options } : { ...options };
  checkOptions('ollama()', raw, ollamaKinds);
  const name = optionText(typeof model === 'string' ? model : (raw.modelName ?? raw['model']));
  if (name === undefined)
    throw new UserError("ollama() needs the name of a model: ollama('qwen3').");
  return {
    model: name,
    host:
      optionText(raw.host) ??
      optionText(raw['baseURL']) ??
      optionText(raw.apiBase) ??
      optionText(raw.endpoint),
    apiKey: optionText(raw.apiKey),
    keepAlive: raw.keepAlive,
    numCtx: raw.numCtx,
    think: raw.think,
    headers: { ...raw.extraHeaders, ...raw.headers },
    extraBody: raw.extraBody ?? {},
    defaults: defaultSettings(raw),
    fetch: raw.fetch,
    client: raw.client,
  };
}
