import { AgentError } from './errors.ts';
import { checkDecisions } from './inbox.ts';
import type { Decision } from './interruption.ts';
import type { Surroundings } from './live-run.ts';
import { validate } from './schema.ts';
import { openInterruptions, type RunState } from './state.ts';
import type { PostResult, Signal, Store } from './store.ts';

/**
 * Posts a set of decisions after checking it against the run: forms, edited input. One that repeats what counted, or
 * comes after another, is left to the store to judge.
 *
 * @throws AgentError `approval_invalid`.
 */
export async function postDecisions<C>(
  store: Store,
  state: RunState,
  signal: Extract<Signal, { readonly type: 'decide' }>,
  around: Pick<Surroundings<C>, 'agent' | 'toolset'>,
): Promise<PostResult> {
  const { decisions } = signal;
  if (signal.by === 'system') {
    throw new AgentError(
      'approval_invalid',
      `Only the engine answers as 'system'. Name whoever decides in by, or leave it out.`,
      { runId: state.runId },
    );
  }
  const answered = decisions.some(
    ({ interruptionId }) => state.interruptions.get(interruptionId)?.answer !== undefined,
  );
  if (!answered) {
    const misfit = checkDecisions(state, decisions);
    if (misfit !== undefined) throw misfit;
    await checkEdits(state, decisions, around);
  }
  return store.runs.post(state.runId, signal, { expiries: expiriesOf(state, decisions) });
}

/** Interruptions that nobody answered in time are refused by the system. */
export async function expireInterruptions(store: Store, state: RunState): Promise<void> {
  const open = openInterruptions(state).filter(({ expiresAt }) => expiresAt !== undefined);
  if (open.length === 0) return;
  const now = await store.now();
  for (const { id, expiresAt } of open) {
    if (expiresAt === undefined || expiresAt > now) continue;
    await store.runs.post(
      state.runId,
      {
        id: `expire:${id}`,
        type: 'decide',
        by: 'system',
        decisions: [{ interruptionId: id, approved: false, message: 'Nobody answered in time.' }],
      },
      { expiries: { [id]: expiresAt } },
    );
  }
}

async function checkEdits<C>(
  state: RunState,
  decisions: readonly Decision[],
  around: Pick<Surroundings<C>, 'agent' | 'toolset'>,
): Promise<void> {
  for (const decision of decisions) {
    if (!('approved' in decision) || !decision.approved || decision.input === undefined) continue;
    const asked = state.interruptions.get(decision.interruptionId)?.asked;
    const agent = around.agent(asked?.agent ?? '');
    const tool = agent && around.toolset(agent).find(asked?.toolName ?? '');
    if (tool === undefined) continue;
    const checked = await validate(tool.inputSchema, decision.input);
    if (!checked.ok) {
      throw new AgentError(
        'approval_invalid',
        `The edited input does not fit ${tool.name}: ${checked.issues}. The interruption stays open.`,
        { runId: state.runId },
      );
    }
  }
}

function expiriesOf(
  state: RunState,
  decisions: readonly Decision[],
): { readonly [id: string]: number } {
  const expiries: { [id: string]: number } = {};
  for (const { interruptionId } of decisions) {
    const expiresAt = state.interruptions.get(interruptionId)?.asked.expiresAt;
    if (expiresAt !== undefined) expiries[interruptionId] = expiresAt;
  }
  return expiries;
}
