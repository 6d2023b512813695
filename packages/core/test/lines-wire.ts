import type { ModelErrorReason } from '../src/errors.ts';
import type { Json } from '../src/json-value.ts';
import type { Role } from '../src/message.ts';
import type { FinishReason, ModelSettings, OutputSpec, ToolSpec } from '../src/model.ts';

// The wire of a vendor that does not exist: JSON over HTTP, one line for each piece of an answer.

/** What is asked. */
export interface LinesRequest {
  readonly instructions?: string | undefined;
  readonly items: readonly LinesItem[];
  readonly tools: readonly ToolSpec[];
  readonly output?: OutputSpec | undefined;
  readonly settings: Omit<ModelSettings, 'providerOptions' | 'retry' | 'timeoutMs'>;
  /** What the vendor alone has. */
  readonly extra?: { readonly [name: string]: Json } | undefined;
}

export type LinesItem =
  | { readonly role: Role; readonly text: string }
  | { readonly role: Role; readonly file: LinesFile }
  | { readonly thought: string; readonly proof?: string | undefined }
  | { readonly call: string; readonly toolName: string; readonly input: Json }
  | { readonly result: string; readonly text: string; readonly files: readonly LinesFile[] };

export interface LinesFile {
  readonly mediaType: string;
  readonly data?: string | undefined;
  readonly url?: string | undefined;
}

/** One line of an answer; an answer in one piece is the same lines at once. */
export interface Line {
  readonly thought?: string;
  readonly proof?: string;
  readonly text?: string;
  readonly call?: number;
  readonly toolName?: string;
  readonly input?: string;
  readonly refusal?: string;
  readonly end?: FinishReason;
  readonly usage?: { readonly [name: string]: number | undefined };
  readonly reason?: ModelErrorReason;
  readonly message?: string;
}
