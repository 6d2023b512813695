import type { Abort } from './abort.ts';
import type { AgentDefinition } from './agent-definition.ts';
import { fail } from './answer.ts';
import { AgentError } from './errors.ts';
import { guard, guardAtOnce, linkedAbort, rejected } from './guard.ts';
import type { Guardrail } from './guardrail.ts';
import { requestText } from './hand-over.ts';
import type { Json } from './json.ts';
import type { LiveRun } from './live-run.ts';
import type { Message } from './message.ts';
import type { ModelListener } from './model-listener.ts';
import type { ModelResponse } from './model.ts';
import { openingStep } from './opening.ts';
import { messageIdOf, verdictOf, type FrameState } from './frame.ts';

/**
 * Asks the blocking input guardrails, and all where somebody else may get the request; `undefined` when there is nothing
 * to ask.
 */
export function guardInput<C>(
  live: LiveRun<C>,
  frame: FrameState,
  agent: AgentDefinition<C, unknown>,
): Promise<void> | undefined {
  const opens = openingStep(live, frame, agent) !== undefined;
  const due = agent.inputGuardrails.filter(
    ({ mode, name }) => (opens || mode === 'blocking') && !hasPassed(frame, name),
  );
  return due.length === 0 ? undefined : guardFirst(live, frame, agent, due);
}

async function guardFirst<C>(
  live: LiveRun<C>,
  frame: FrameState,
  agent: AgentDefinition<C, unknown>,
  due: readonly Guardrail<C>[],
): Promise<void> {
  const what = { live, frame, agent, on: 'input', fits: mustBeText } as const;
  const verdict = await guard(what, due, requestText(frame));
  if (!verdict.passed) await fail(live, frame, rejected(verdict.message));
}

function mustBeText(value: Json): void {
  if (typeof value !== 'string') {
    throw new Error('it rewrote the input as something that is no text');
  }
}

// One that was refused is asked about again: its frame has not failed yet.
function hasPassed(frame: FrameState, name: string): boolean {
  const verdict = verdictOf(frame, { on: 'input', name });
  return verdict?.action === 'allow' || verdict?.action === 'rewrite';
}

/** The input guardrails that run beside the first model call and have not passed. */
export function guardsBeside<C>(
  frame: FrameState,
  agent: AgentDefinition<C, unknown>,
): readonly Guardrail<C>[] {
  if (frame.turn > 0 || agent.inputGuardrails.length === 0) return noGuardrails;
  return agent.inputGuardrails.filter(
    ({ mode, name }) => mode !== 'blocking' && !hasPassed(frame, name),
  );
}

const noGuardrails: readonly [] = [];

/**
 * Asks the model with input guardrails beside it: nothing that it says is shown before they passed. `undefined` when the
 * answer does not count: the input was rewritten (it is asked again) or refused (the frame has failed).
 *
 * @throws GuardrailTripwireTriggered.
 */
export async function askGuarded<C>(
  live: LiveRun<C>,
  frame: FrameState,
  agent: AgentDefinition<C, unknown>,
  listener: ModelListener<C>,
  ask: (signal: Abort) => Promise<ModelResponse>,
): Promise<ModelResponse | undefined> {
  const call = linkedAbort(live.abort);
  const asking = ask(call.abort);
  // Looked at below, whichever is first.
  const asked = asking.then(
    (response) => ({ response }),
    () => undefined,
  );
  const refuse = () =>
    call.abort.abort(new AgentError('aborted', 'The answer does not count: a guardrail objected.'));
  // An answer that came before it was refused was paid for: it is counted, and nobody sees it.
  let dropped = false;
  const drop = async (): Promise<void> => {
    refuse();
    const came = await asked;
    if (came !== undefined && !dropped) recordDropped(live, frame, came.response, listener);
    dropped = true;
  };
  try {
    const verdict = await guardAtOnce(
      { live, frame, agent, on: 'input', fits: mustBeText },
      guardsBeside(frame, agent),
      requestText(frame),
      refuse,
    );
    if (!verdict.passed) {
      await drop();
      await fail(live, frame, rejected(verdict.message));
      return undefined;
    }
    if (verdict.rewritten) {
      await drop();
      live.emit(frame, { type: 'void' });
      return undefined;
    }
    listener.release();
    return await asking;
  } catch (error) {
    await drop();
    throw error;
  } finally {
    call.unlink();
  }
}

function recordDropped<C>(
  live: LiveRun<C>,
  frame: FrameState,
  response: ModelResponse,
  listener: ModelListener<C>,
): void {
  const message: Message = {
    id: `${messageIdOf(frame)}.dropped`,
    runId: live.state.runId,
    role: 'assistant',
    parts: [],
    agent: frame.agent,
  };
  live.stage(frame, {
    type: 'model-response',
    purpose: 'guard',
    message,
    ...listener.facts(response),
  });
}
