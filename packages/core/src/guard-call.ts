import type { AgentDefinition } from './agent-definition.ts';
import { errorOutcome, json, misfitInput, settleWithError, type Outcome } from './call-outcome.ts';
import { guard } from './guard.ts';
import type { Guardrail } from './guardrail.ts';
import { toJson } from './json.ts';
import type { LiveRun } from './live-run.ts';
import { validate } from './schema.ts';
import { inputOf, type CallState, type FrameState } from './state.ts';
import type { Tool } from './tool.ts';

interface Where<C> {
  readonly live: LiveRun<C>;
  readonly frame: FrameState;
  readonly agent: AgentDefinition<C, unknown>;
}

/**
 * Asks the input guardrails of a tool. What they rewrote must fit the tool; what they refused becomes a result that the
 * model reads (`undefined`).
 */
export async function guardCall<C>(
  { live, frame, agent }: Where<C>,
  call: CallState,
  tool: Tool<C>,
): Promise<{ readonly input: { readonly ok: true; readonly value: unknown } } | undefined> {
  const { callId, toolName } = call;
  const what = { live, frame, agent, on: 'tool-input', callId, toolName } as const;
  await live.journal.flush();
  const verdict = await guard(what, tool.guardrails?.input ?? [], inputOf(call));
  if (!verdict.passed) {
    settleWithError(live, frame, call, 'refused', verdict.message);
    return undefined;
  }
  const input = await validate(tool.inputSchema, verdict.value);
  if (input.ok) return { input };
  const message = misfitInput(toolName, verdict.value, input.issues);
  settleWithError(live, frame, call, 'invalid-input', message);
  return undefined;
}

/** Asks the output guardrails of a tool; what they refused is not recorded. */
export async function guardResult<C>(
  { live, frame, agent }: Where<C>,
  call: CallState,
  guardrails: readonly Guardrail<C>[],
  outcome: Outcome,
): Promise<Outcome> {
  const { callId, toolName } = call;
  const what = { live, frame, agent, on: 'tool-output', callId, toolName } as const;
  const shown = outcome.modelOutput ?? outcome.output;
  const value = shown.type === 'json' ? shown.value : toJson(shown.parts);
  const verdict = await guard(what, guardrails, value);
  if (!verdict.passed) return { ...errorOutcome('ran', verdict.message), thrown: outcome.thrown };
  return verdict.rewritten
    ? { ...outcome, output: json(verdict.value), modelOutput: undefined }
    : outcome;
}
