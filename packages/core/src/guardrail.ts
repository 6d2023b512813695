import { shown } from './check-options.ts';
import { UserError } from './errors.ts';
import type { Json } from './json.ts';
import type { RunContext } from './run-context.ts';

/** What a guardrail decides: let it pass, change it, refuse it with a sentence, or end the run. */
export type GuardrailResult =
  | { readonly action: 'allow' }
  /** Goes on with `value` instead: text for an agent's input and output, JSON for a tool's. */
  | { readonly action: 'rewrite'; readonly value: Json }
  /**
   * Input of an agent: the run ends `failed` with this message for the caller. Output: the model is told the message and
   * answers again. A tool: the model reads the message instead of a result.
   */
  | { readonly action: 'reject'; readonly message: string }
  /** Ends the run `failed` with code `guardrail_tripwire`; `info` is recorded and not shown. */
  | { readonly action: 'tripwire'; readonly info?: Json | undefined };

/** What a guardrail looks at. */
export interface GuardrailCheck<C = unknown> {
  /** The text that an agent was asked or answers with; the validated input, or the result, of a tool. */
  readonly value: Json;
  readonly context: RunContext<C>;
  readonly agent: string;
  /** For a tool's guardrails. */
  readonly toolName?: string | undefined;
  /** Aborted when the run is, and when what this guardrail decides does not matter any more. */
  readonly signal: AbortSignal;
}

/**
 * A check that a run must pass. Its decision is recorded and never made twice. One that throws, or answers nothing that
 * can be used, fails its agent with `guardrail_error`: what could not be checked does not pass.
 */
export interface Guardrail<in C = unknown> {
  readonly name: string;
  /**
   * For an agent's input: `'parallel'` (default) runs beside the model call, and nothing is shown and no tool starts
   * before it passed; `'blocking'` runs before the model is asked.
   */
  readonly mode?: 'parallel' | 'blocking' | undefined;
  check(what: GuardrailCheck<C>): GuardrailResult | Promise<GuardrailResult>;
}

/** @throws UserError for what could check nothing, and for two of one name in a list: decisions are recorded by name. */
export function checkGuardrails(
  whose: string,
  list: string,
  guardrails: readonly Guardrail<never>[] = [],
): void {
  if (!Array.isArray(guardrails)) {
    throw new UserError(`${whose} has ${shown(guardrails)} as ${list}. Write a list of them.`);
  }
  const names = new Set<string>();
  for (const one of guardrails) {
    const { name, mode = 'parallel', check }: Partial<Guardrail> = Object(one);
    if (typeof name !== 'string' || name === '' || typeof check !== 'function') {
      throw new UserError(
        `${whose} has ${shown(one)} among its ${list}. Write { name: '…', check: ({ value }) => ({ action: 'allow' }) }.`,
      );
    }
    if (mode !== 'parallel' && mode !== 'blocking') {
      throw new UserError(
        `${whose} has the guardrail ${name} with mode ${JSON.stringify(mode)}. Write 'blocking' or 'parallel', or leave it out.`,
      );
    }
    if (names.has(name)) {
      throw new UserError(`${whose} has two ${list} named ${JSON.stringify(name)}. Rename one.`);
    }
    names.add(name);
  }
}
