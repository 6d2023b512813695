import type { AgentDefinition } from './agent-definition.ts';
import { errorOutcome, json, misfitInput, settleWithError, type Outcome } from './call-outcome.ts';
import { ToolCallError } from './errors.ts';
import { guard } from './guard.ts';
import { toJson, type Json } from './json.ts';
import type { LiveRun } from './live-run.ts';
import { outputText } from './message.ts';
import { validate } from './schema.ts';
import { inputOf, type CallState, type FrameState } from './frame.ts';
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
  const fits = async (value: Json): Promise<void> => {
    const checked = await validate(tool.inputSchema, value);
    if (!checked.ok) throw new Error(`what it made of the input does not fit: ${checked.issues}`);
  };
  const what = { live, frame, agent, on: 'tool-input', callId, toolName, fits } as const;
  await live.journal.flush();
  const verdict = await guard(what, tool.guardrails?.input ?? [], inputOf(call));
  if (!verdict.passed) {
    settleWithError(live, frame, call, 'refused', verdict.message);
    return undefined;
  }
  const input = await validate(tool.inputSchema, verdict.value);
  if (input.ok) return { input };
  // It was recorded before the tool was changed.
  const message = misfitInput(toolName, verdict.value, input.issues);
  settleWithError(live, frame, call, 'invalid-input', message);
  return undefined;
}

/**
 * Asks the output guardrails of a tool. What they refused is not recorded; a call whose result could not be checked is
 * settled without it, and ends its agent (`thrown`).
 */
export async function guardResult<C>(
  { live, frame, agent }: Where<C>,
  call: CallState,
  { guardrails }: Tool<C>,
  outcome: Outcome,
): Promise<Outcome> {
  const { how, thrown } = outcome;
  if (how !== 'ran' && how !== 'reconciled') return outcome;
  const { callId, toolName } = call;
  const what = { live, frame, agent, on: 'tool-output', callId, toolName } as const;
  const shown = outcome.modelOutput ?? outcome.output;
  const value = shown.type === 'json' ? shown.value : toJson(shown.parts);
  try {
    const verdict = await guard(what, guardrails?.output ?? [], value);
    if (verdict.passed && !verdict.rewritten) return outcome;
    const output = json(verdict.passed ? verdict.value : verdict.message);
    return {
      output,
      isError: outcome.isError || !verdict.passed,
      how,
      // What it threw ends the run all the same, in these words.
      ...(thrown === undefined
        ? {}
        : { thrown: new ToolCallError(outputText(output), { toolName, callId }) }),
    };
  } catch (error) {
    const message = `${toolName} ran; its result is not shown.`;
    return { ...errorOutcome(how, message), thrown: error };
  }
}
