import { AgentError, UserError } from './errors.ts';
import type { Decision, Interruption } from './interruption.ts';
import type { Journal } from './journal.ts';
import type { FrameState } from './frame.ts';
import type { RunState } from './state.ts';
import type { Signal } from './store.ts';

/** Records a signal in the journal: a set of decisions as a whole, or a warning that it no longer applies. */
export function takeSignal(journal: Journal, root: FrameState, signal: Signal): void {
  if (signal.type === 'cancel') {
    journal.stage(
      { type: 'warning', code: 'cancel-ignored', message: 'The run was already cancelled.' },
      root,
    );
    return;
  }
  const misfit = checkDecisions(journal.state, signal.decisions);
  if (misfit !== undefined) {
    journal.stage({ type: 'warning', code: 'decision-ignored', message: misfit.message }, root);
    return;
  }
  for (const decision of signal.decisions) {
    const asked = journal.state.interruptions.get(decision.interruptionId)?.asked;
    journal.stage(
      {
        type: 'decision',
        decision,
        ...(signal.by === undefined ? {} : { by: signal.by }),
      },
      asked === undefined ? root : { id: asked.frame, agent: asked.agent },
    );
  }
}

/** Why a set of decisions does not fit the run, or `undefined` when all of them do. */
export function checkDecisions(
  state: RunState,
  decisions: readonly Decision[],
): AgentError | undefined {
  if (decisions.length === 0) {
    return new UserError('No decision was given. Send one for each interruption you answer.');
  }
  const seen = new Set<string>();
  for (const decision of decisions) {
    const { interruptionId } = decision;
    if (seen.has(interruptionId)) {
      return new UserError(`Two decisions answer interruption ${interruptionId}. Send one.`);
    }
    seen.add(interruptionId);
    const entry = state.interruptions.get(interruptionId);
    if (entry === undefined) {
      return new AgentError(
        'approval_invalid',
        `Run ${state.runId} has no interruption ${JSON.stringify(interruptionId.slice(0, 80))}. Open: ${openIds(state)}.`,
        { runId: state.runId },
      );
    }
    if (entry.answer !== undefined || state.end !== undefined) {
      return new AgentError(
        'approval_invalid',
        `Interruption ${interruptionId} was answered before. Open: ${openIds(state)}.`,
        { runId: state.runId, details: { decided: true } },
      );
    }
    const misfit = wrongForm(entry.asked, decision);
    if (misfit !== undefined) {
      return new AgentError('approval_invalid', misfit, { runId: state.runId });
    }
  }
  return undefined;
}

function openIds(state: RunState): string {
  const open = [...state.interruptions.values()].filter(({ answer }) => answer === undefined);
  return open.length === 0 ? 'none' : open.map(({ asked }) => asked.id).join(', ');
}

// Decisions come from outside: what is merely truthy approves nothing.
function hasForm(kind: Interruption['kind'], decision: Decision): boolean {
  switch (kind) {
    case 'approval':
      return 'approved' in decision && typeof decision.approved === 'boolean';
    case 'ambiguous':
      if (!('outcome' in decision)) return false;
      return decision.outcome === 'done' ? 'output' in decision : outcomes.has(decision.outcome);
    default:
      if ('approved' in decision)
        return typeof decision.approved === 'boolean' && !decision.approved;
      return 'answer' in decision && decision.answer !== undefined;
  }
}

const outcomes: ReadonlySet<string> = new Set(['not-done', 'failed']);

function wrongForm(asked: Interruption, decision: Decision): string | undefined {
  const kind = asked.kind;
  if (hasForm(kind, decision)) return undefined;
  const form =
    kind === 'approval'
      ? '{ approved: true, input? } or { approved: false, message? }'
      : kind === 'ambiguous'
        ? "{ outcome: 'done', output }, { outcome: 'not-done' } or { outcome: 'failed', message? }"
        : '{ answer } or { approved: false, message? }';
  return `Interruption ${asked.id} is of kind ${kind}; its answer has the form ${form}.`;
}
