import type { Json, JsonObject } from './json.ts';
import type { Message } from './message.ts';
import type { RequestUsage } from './usage.ts';

/** Settings of one model call. What a provider cannot say is reported as a `warning`, never dropped in silence. */
export interface ModelSettings {
  readonly temperature?: number | undefined;
  readonly topP?: number | undefined;
  /** The most tokens the model may write in one response. */
  readonly maxTokens?: number | undefined;
  readonly stop?: readonly string[] | undefined;
  readonly seed?: number | undefined;
  readonly toolChoice?: 'auto' | 'required' | 'none' | { readonly name: string } | undefined;
  readonly parallelToolCalls?: boolean | undefined;
  readonly reasoning?:
    | { readonly effort?: 'none' | 'minimal' | 'low' | 'medium' | 'high' | undefined }
    | undefined;
  /** The longest one attempt may take; see `timeout()`. */
  readonly timeoutMs?: number | undefined;
  /** See `retry()`. */
  readonly retry?: RetryOptions | undefined;
  /** `false` for deployments that refuse to stream: the answer is asked for in one piece. */
  readonly streaming?: boolean | undefined;
  /** Options of one vendor, under the provider's key, passed on as they are. */
  readonly providerOptions?: { readonly [provider: string]: JsonObject } | undefined;
}

export interface RetryOptions {
  /** How often a failed call is tried again. Default 2; 0: never. */
  readonly maxRetries?: number | undefined;
  /** The wait before the first retry, doubled each time, with jitter. Default 500. */
  readonly initialDelayMs?: number | undefined;
  /** The longest wait; a server that asks for more is not retried. Default 30,000. */
  readonly maxDelayMs?: number | undefined;
}

/** A tool as a model sees it. Built once per agent and frozen. */
export interface ToolSpec {
  readonly name: string;
  readonly description: string;
  readonly inputSchema: JsonObject;
  /** Whether the vendor's strict mode is wanted where it has one and the schema allows it. */
  readonly strict: boolean;
}

/** The form of the answer: a JSON Schema with a name. */
export interface OutputSpec {
  readonly name: string;
  readonly schema: JsonObject;
  readonly strict: boolean;
}

export interface ModelRequest {
  readonly instructions?: string | undefined;
  readonly messages: readonly Message[];
  readonly tools: readonly ToolSpec[];
  readonly output?: OutputSpec | undefined;
  readonly settings: ModelSettings;
}

export type FinishReason =
  | 'stop'
  | 'length'
  | 'tool-calls'
  | 'content-filter'
  | 'refusal'
  | 'other';

/**
 * A part of a model's message. A tool call has no `callId` yet: core makes it from frame, turn and index, and providers
 * keep the vendor's own id under their key in `providerData`.
 */
export type ModelPart =
  | Exclude<Message['parts'][number], { readonly type: 'tool-call' }>
  | Omit<Extract<Message['parts'][number], { readonly type: 'tool-call' }>, 'callId'>;

export interface ModelResponse {
  readonly parts: readonly ModelPart[];
  readonly usage: RequestUsage;
  readonly finishReason: FinishReason;
  /** The vendor's id of the response. */
  readonly responseId?: string | undefined;
  /** The model that answered, where the vendor names another than was asked (a dated version). */
  readonly modelId?: string | undefined;
}

/**
 * What a model's stream yields: deltas, then exactly one `response`, and nothing after it. A stream that ends without a
 * `response` is an error (`invalid-response`).
 */
export type ModelStreamEvent =
  | { readonly type: 'text-delta'; readonly delta: string }
  | { readonly type: 'reasoning-delta'; readonly delta: string }
  | {
      readonly type: 'tool-input-delta';
      /** Which tool call of this response, counted from 0 in the order of the response's parts. */
      readonly index: number;
      readonly toolName: string;
      readonly delta: string;
    }
  | { readonly type: 'response'; readonly response: ModelResponse }
  /**
   * What this call showed so far is void: it is asked again after `afterMs`, or another model is (`to`). That is how
   * `retry()` and `fallback()` speak.
   */
  | {
      readonly type: 'restart';
      readonly reason: string;
      readonly attempt: number;
      readonly afterMs: number;
      readonly from: ModelName;
      readonly to?: ModelName | undefined;
    }
  | { readonly type: 'warning'; readonly code: string; readonly message: string };

export interface ModelName {
  readonly provider: string;
  readonly modelId: string;
}

export interface ModelCallOptions {
  /** Aborted when the run is cancelled or times out: it must reach the socket. */
  readonly signal: AbortSignal;
}

/** A model: one method. "Not streaming" is a fold of the same stream. Retry, fallback and redaction are functions on models. */
export interface Model extends ModelName {
  readonly capabilities?: ModelCapabilities | undefined;
  /**
   * Asks the model. Deltas come as they are produced, then one `response`.
   *
   * @throws ModelError with one of the closed list of reasons; the abort reason when the signal fires.
   */
  stream(request: ModelRequest, options: ModelCallOptions): AsyncIterable<ModelStreamEvent>;
  /**
   * Whether the model could be asked now without asking it: `undefined`, or a sentence that names the missing setting.
   * What `/health/ready` shows.
   */
  ready?(): string | undefined;
}

/**
 * What a model is known to do; absent means unknown, and nothing is refused for it. A model that is known not to call
 * tools or not to see images is not asked with them: the call fails with `invalid-request`, and `fallback()` goes on to
 * the next. Who knows better says so: `{ ...model, capabilities: { tools: true } }`.
 */
export interface ModelCapabilities {
  /** Calls tools. */
  readonly tools?: boolean | undefined;
  readonly parallelToolCalls?: boolean | undefined;
  readonly strictSchemas?: boolean | undefined;
  readonly toolsWithStructuredOutput?: boolean | undefined;
  /** Takes images, of a user or of a tool. */
  readonly images?: boolean | undefined;
}

/** The Python README's spelling of "which model". Providers read what is theirs; the rest is typed by their packages. */
export interface LLMConfig {
  readonly provider: string;
  readonly modelName?: string | undefined;
  readonly apiKey?: string | undefined;
  readonly apiBase?: string | undefined;
  readonly apiVersion?: string | undefined;
  readonly organization?: string | undefined;
  readonly endpoint?: string | undefined;
  readonly deployment?: string | undefined;
  readonly temperature?: number | undefined;
  readonly maxTokens?: number | undefined;
  readonly timeoutMs?: number | undefined;
  readonly maxRetries?: number | undefined;
  readonly extraHeaders?: { readonly [name: string]: string } | undefined;
  readonly extraBody?: { readonly [name: string]: Json } | undefined;
  readonly credential?: TokenCredential | undefined;
  readonly [option: string]: unknown;
}

/** Anything that gets tokens for scopes, such as the credentials of an identity SDK; core imports none. */
export interface TokenCredential {
  getToken(
    scopes: string | string[],
  ): Promise<{ readonly token: string; readonly expiresOnTimestamp: number } | null>;
}

/** Makes a model of one provider from its name or from an `LLMConfig`. Must do no I/O. */
export type ModelFactory = (model: string | LLMConfig) => Model;

/** Names to models. */
export interface ModelRegistry {
  /**
   * @param spec `'provider/model'`, `'provider:model'`, or an `LLMConfig`.
   * @throws UserError for an unknown provider; it lists the ones that exist.
   */
  model(spec: string | LLMConfig): Model;
}
