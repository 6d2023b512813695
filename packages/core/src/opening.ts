import type { AgentDefinition } from './agent-definition.ts';
import { prepareHandoff, stageHandoff, type HandoverInput } from './hand-over.ts';
import { makeHandoff, type Handoff } from './handoff.ts';
import type { Opening } from './handoff-config.ts';
import { decideRoute } from './route.ts';
import type { LiveRun } from './live-run.ts';
import type { RunFailure } from './errors.ts';
import type { Output } from './message.ts';
import { answersNote, type FrameState } from './frame.ts';

/** What a frame does before its first turn, if there is anything to do. */
export type OpeningStep<C> =
  | { readonly type: 'hand-over'; readonly handoff: Handoff<C>; readonly given: HandoverInput }
  | { readonly type: 'route'; readonly route: Extract<Opening<C>, { readonly type: 'route' }> }
  | { readonly type: 'broadcast'; readonly targets: readonly Handoff<C>[] }
  | {
      readonly type: 'answer';
      readonly output: Output | undefined;
      readonly error: RunFailure | undefined;
    };

/** `undefined`: nothing, the model is next. */
export function openingStep<C>(
  live: LiveRun<C>,
  frame: FrameState,
  agent: AgentDefinition<C, unknown>,
): OpeningStep<C> | undefined {
  if (frame.turn > 0) return undefined;
  if (frame === live.root && live.state.options.handoff !== undefined) {
    // Who gets this request was decided by the app.
    return frame.routed ? undefined : programmatic(live, agent);
  }
  const { opening } = agent.handoffPlan;
  switch (opening?.type) {
    case undefined:
      return undefined;
    case 'route':
      return frame.routed ? undefined : { type: 'route', route: opening };
    case 'broadcast':
      return frame.children === undefined ? { ...opening } : undefined;
    case 'chain': {
      const answered = frame.children ?? [];
      if (answered.some((one) => one.handoff?.primitive !== 'chain')) return undefined;
      const { output, error } = answered.at(-1) ?? {};
      const handoff = opening.targets[answered.length];
      if (handoff === undefined || error !== undefined) return { type: 'answer', output, error };
      const { runId } = live.state;
      const notes = answered.length === 0 ? [] : [answersNote(`${frame.id}.a`, runId, answered)];
      return { type: 'hand-over', handoff, given: { notes } };
    }
    default:
      return opening satisfies undefined;
  }
}

/** Does it. */
export async function open<C>(
  live: LiveRun<C>,
  frame: FrameState,
  agent: AgentDefinition<C, unknown>,
  step: Exclude<OpeningStep<C>, { readonly type: 'answer' }>,
): Promise<void> {
  switch (step.type) {
    case 'hand-over':
      stageHandoff(live, frame, await prepareHandoff(live, frame, step.handoff, step.given));
      break;
    case 'broadcast': {
      const prepared = await Promise.all(
        step.targets.map((one) => prepareHandoff(live, frame, one, {})),
      );
      for (const one of prepared) stageHandoff(live, frame, one);
      break;
    }
    case 'route': {
      const { handoff, reason, asked, unusable } = await decideRoute(
        live,
        frame,
        agent,
        step.route,
      );
      const prepared =
        handoff === undefined ? undefined : await prepareHandoff(live, frame, handoff, { reason });
      for (const { event } of asked) live.stage(frame, event);
      if (unusable) {
        const message = `The routing of ${agent.name} got no usable answer; it answers itself.`;
        live.stage(frame, { type: 'warning', code: 'route-unusable', message });
      }
      live.stage(frame, {
        type: 'route',
        ...(handoff === undefined ? {} : { to: handoff.agentName }),
        ...(reason === undefined ? {} : { reason }),
      });
      if (prepared !== undefined) stageHandoff(live, frame, prepared);
      break;
    }
    default:
      step satisfies never;
  }
}

/** `Runner.handoffTo`: the first thing the run does is a handoff that nobody's model asked for. */
function programmatic<C>(
  live: LiveRun<C>,
  agent: AgentDefinition<C, unknown>,
): OpeningStep<C> | undefined {
  const asked = live.state.options.handoff;
  const listed = agent.handoffPlan.targets.find(({ agentName }) => agentName === asked?.to);
  if (asked === undefined || listed === undefined) return undefined;
  const { expectedReturn, input, reason } = asked;
  // Who routes keeps the conversation; so does the head of a chain.
  const stays = listed.primitive === 'route' || listed.primitive === 'chain' ? 'route' : 'transfer';
  const primitive =
    expectedReturn === 'return_to_caller'
      ? 'call'
      : expectedReturn === undefined && listed.primitive === 'call'
        ? 'call'
        : stays;
  const closes =
    expectedReturn === undefined ? listed.closes : expectedReturn === 'end_conversation';
  const handoff = makeHandoff<C, unknown>(listed.agentName, {
    ...listed,
    inputType: listed.inputSchema,
    primitive,
    closes,
    verbatim: primitive === 'call' && listed.verbatim,
  });
  return { type: 'hand-over', handoff, given: { input, reason } };
}
