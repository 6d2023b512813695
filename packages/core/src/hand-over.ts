import { errorText } from './call-outcome.ts';
import { AgentError, UserError } from './errors.ts';
import type { RunEventBody } from './events.ts';
import type { Handoff } from './handoff.ts';
import { defaultMaxHops } from './handoff-config.ts';
import { toJson, type Json } from './json.ts';
import { LimitReached } from './limit-reached.ts';
import type { LiveRun } from './live-run.ts';
import type { Message } from './message.ts';
import { hopsOf, resultsMessage, type CallState, type FrameState } from './frame.ts';
import { inputText, reasonOf, selectContext, selectHistory, withoutPrivate } from './travel.ts';
import { orAbort } from './wait.ts';

/** A handoff that is ready to be recorded: everything that had to be waited for is there. */
export interface PreparedHandoff<C> {
  readonly handoff: Handoff<C>;
  readonly event: Omit<Extract<RunEventBody, { readonly type: 'handoff' }>, 'childFrame'>;
}

/** What a target is given besides the caller's messages. */
export interface HandoverInput {
  /** The call by which the model did it. */
  readonly call?: CallState | undefined;
  /** What the caller said; `undefined`: the request of this frame goes on as it is. */
  readonly input?: Json | undefined;
  /** `input` as the schema made it: what `onHandoff` and the target are told. */
  readonly value?: unknown;
  readonly reason?: string | undefined;
  /** Comes after the request: the answers of a chain so far. */
  readonly notes?: readonly Message[] | undefined;
}

/**
 * Gets a handoff ready: asks `onHandoff`, selects what travels.
 *
 * @throws AgentError `handoff_error` when the target is not here; whatever a callback throws.
 */
export async function prepareHandoff<C>(
  live: LiveRun<C>,
  frame: FrameState,
  handoff: Handoff<C>,
  given: HandoverInput,
): Promise<PreparedHandoff<C>> {
  const { agentName, primitive, history } = handoff;
  const target = live.around.agent(agentName);
  if (target === undefined) {
    throw new AgentError(
      'handoff_error',
      `Agent ${agentName} is not here, so nothing can be handed to it.`,
    );
  }
  const context = live.contextOf(frame);
  const { call, input } = given;
  if (handoff.onHandoff !== undefined) {
    const told = Promise.resolve(handoff.onHandoff(context, given.value ?? input ?? null));
    await orAbort(told, live.abort);
  }
  const selected = selectHistory(priorMessages(live, frame, primitive, call), history, context);
  const prior = selected instanceof Promise ? await orAbort(selected, live.abort) : selected;
  const asked = askedOf(live, frame, handoff, given);
  const messages = [...prior, ...asked, ...(given.notes ?? [])];
  const reason = given.reason ?? (input === undefined ? undefined : reasonOf(input));
  return {
    handoff,
    event: {
      type: 'handoff',
      to: target.name,
      primitive,
      ...(call === undefined ? {} : { callId: call.callId }),
      ...(input === undefined ? {} : { input }),
      messages: withoutPrivate(messages, live.providerOf(target)),
      asked: asked.length + (given.notes?.length ?? 0),
      context: selectContext(frame.context, handoff.contextKeys),
      ...(reason === undefined ? {} : { reason }),
      ...(handoff.verbatim ? { verbatim: true } : {}),
      ...(handoff.closes ? { closes: true } : {}),
      ...(handoff.streamEvents ? {} : { quiet: true }),
    },
  };
}

/**
 * Records a handoff: the target has the word.
 *
 * @throws LimitReached for a hop too many, and for a conversation that goes round and round.
 */
export function stageHandoff<C>(
  live: LiveRun<C>,
  frame: FrameState,
  { event }: PreparedHandoff<C>,
): void {
  checkHops(live, frame, event);
  const childFrame = `${frame.id}.${(frame.children?.length ?? 0) + 1}`;
  live.stage(frame, { ...event, childFrame });
  live.log('info', 'handoff', {
    from: frame.agent,
    to: event.to,
    primitive: event.primitive,
    frame: childFrame,
    ...(event.reason === undefined ? {} : { reason: event.reason }),
  });
}

/** @throws LimitReached. */
export function checkHops<C>(
  live: LiveRun<C>,
  frame: FrameState,
  { primitive, to }: { readonly primitive: string; readonly to: string },
): void {
  const place = primitive === 'chain' ? (frame.children?.length ?? 0) : 0;
  const maxHops = live.state.options.limits?.maxHops ?? defaultMaxHops;
  if (hopsOf(frame) + place + 1 > maxHops) throw new LimitReached('max_hops');
  if (primitive === 'transfer' && goesRound(frame, to)) throw new LimitReached('handoff_loop');
}

// The same handoff was made before, and since then nobody has done anything but hand over.
function goesRound(frame: FrameState, to: string): boolean {
  for (let at = frame; at.parent !== undefined && !at.worked; at = at.parent) {
    if (at.handoff?.primitive !== 'transfer') return false;
    if (at.agent === to && at.parent.agent === frame.agent) return true;
  }
  return false;
}

// What the caller's history is selected from: all that came before what is handed over.
function priorMessages<C>(
  live: LiveRun<C>,
  frame: FrameState,
  primitive: Handoff<C>['primitive'],
  call: CallState | undefined,
): readonly Message[] {
  const messages = frame.messages.filter((one) => frame.aside?.has(one) !== true);
  // The request itself is handed on.
  if (call === undefined) return messages.slice(0, messages.length - frame.request.length);
  // The turn goes on while the target works: its calls have no results yet.
  if (primitive !== 'transfer') return messages.filter((one) => one !== frame.last?.message);
  return [...messages, resultsMessage(live.state.runId, frame, resultsBefore(frame, call))];
}

// What a turn that ends in a transfer came to. The transfer itself is left out, and its call with it: the target has no
// such tool, and reads what was said in its request.
function resultsBefore(frame: FrameState, transfer: CallState) {
  return frame.calls.map((call, index) => {
    if (call === transfer) return undefined;
    const { callId, toolName } = call;
    const output = { type: 'json' as const, value: onlyOne };
    return frame.results[index] ?? { type: 'tool-result' as const, callId, toolName, output };
  });
}

/** What the caller's model would read of a transfer. */
export function transferred(toolName: string): string {
  return `${toolName}: the conversation was handed over.`;
}

/** What it would read of a second one in the same turn. */
export const onlyOne = 'Not done: the conversation was handed to another agent in the same turn.';

function askedOf<C>(
  live: LiveRun<C>,
  frame: FrameState,
  handoff: Handoff<C>,
  { call, input, value }: HandoverInput,
): readonly Message[] {
  const { transformInput, primitive } = handoff;
  if (input === undefined && transformInput === undefined) return frame.request;
  const said = value === undefined ? (input ?? { message: requestText(frame) }) : toJson(value);
  const shown = transformInput === undefined ? said : transformed(transformInput(said));
  return [
    {
      id: call === undefined ? `${frame.id}.m.${handoff.agentName}` : `${call.callId}.m`,
      runId: live.state.runId,
      role: 'user',
      parts: [{ type: 'text', text: inputText(shown, primitive, frame.agent) }],
      agent: frame.agent,
    },
  ];
}

// What forgot its `return`, and what would have to be waited for, would ask the target nothing.
function transformed(input: unknown): Json {
  if (input === undefined || input instanceof Promise) {
    throw new UserError(
      `transformInput answered ${input === undefined ? 'nothing' : 'a promise'}; it must answer the input itself, at once.`,
    );
  }
  return toJson(input);
}

/** The text of what a frame is asked. */
export function requestText(frame: FrameState): string {
  return frame.request
    .flatMap(({ parts }) => parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])))
    .join('\n');
}

/** A handoff that failed before it was recorded, as the caller's model reads it. */
export function refusedHandoff<C>({ agentName }: Handoff<C>, error: unknown): string {
  return `Nothing was handed to ${agentName}: ${errorText(error)}`;
}
