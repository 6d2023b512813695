import type { Json, JsonObject } from './json.ts';

export type InterruptionKind = 'approval' | 'ambiguous' | 'input' | 'callback';

/** A run waits for an answer. Costs nothing while it waits. */
export interface Interruption {
  readonly id: string;
  readonly kind: InterruptionKind;
  readonly frame: string;
  readonly agent: string;
  readonly callId?: string | undefined;
  readonly toolName?: string | undefined;
  /** What was shown to whoever decides. */
  readonly input?: Json | undefined;
  /** SHA-256 of `input`: an approval counts for exactly what was shown. */
  readonly inputHash?: string | undefined;
  /** JSON Schema of the answer. */
  readonly schema?: JsonObject | undefined;
  readonly message?: string | undefined;
  /** Milliseconds since 1970; afterwards only a refusal by `system` counts. */
  readonly expiresAt?: number | undefined;
}

/** The answer to an interruption; its form follows the kind (journal.md, Tools and repeats). A question may be refused. */
export type Decision = { readonly interruptionId: string } & (
  | { readonly approved: true; readonly input?: Json | undefined }
  | { readonly approved: false; readonly message?: string | undefined }
  | { readonly outcome: 'done'; readonly output: Json }
  | { readonly outcome: 'not-done' }
  | { readonly outcome: 'failed'; readonly message?: string | undefined }
  | { readonly answer: Json }
);
