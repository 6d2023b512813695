import type { AgentDefinition } from './agent-definition.ts';
import { askForApproval, askForOutcome, askQuestion } from './ask.ts';
import {
  errorOutcome,
  errorText,
  json,
  misfitInput,
  noSuchTool,
  settle,
  settleWithError,
  unknownOutcome,
  type Outcome,
} from './call-outcome.ts';
import {
  checkHops,
  onlyOne,
  prepareHandoff,
  refusedHandoff,
  stageHandoff,
  transferred,
  type PreparedHandoff,
} from './hand-over.ts';
import { shown } from './check-options.ts';
import { idempotencyKeyOf } from './ids.ts';
import type { Json } from './json.ts';
import type { LiveRun } from './live-run.ts';
import { toolsOf } from './model-call.ts';
import { validate, validateNow } from './schema.ts';
import { inputOf, type CallState, type FrameState } from './frame.ts';
import { repeatable } from './step.ts';
import type { Effect, Tool } from './tool.ts';
import { fitting, runCall, toOutput, withEditNote } from './tool-call.ts';
import { isTripwire } from './guard.ts';
import { guardCall, guardResult } from './guard-call.ts';
import { LiveToolContext } from './tool-context.ts';
import { orAbort } from './wait.ts';

/** One turn's calls: what the loop hands to each of the functions below. */
export interface Turn<C> {
  readonly live: LiveRun<C>;
  readonly frame: FrameState;
  readonly agent: AgentDefinition<C, unknown>;
  readonly calls: readonly CallState[];
}

/**
 * Looks at calls that the model just made: unknown tools and misfit input become results the model can read, calls that
 * need an approval become interruptions, the others are started. Everything is staged before anything runs.
 */
export async function judgeCalls<C>({ live, frame, agent, calls }: Turn<C>): Promise<void> {
  const listed = toolsOf(live, frame, agent);
  const tools = listed instanceof Promise ? await listed : listed;
  const ready: ReadyCall<C>[] = [];
  for (const call of calls) {
    const tool = tools.find(call.toolName);
    if (tool === undefined) {
      settleWithError(live, frame, call, 'refused', noSuchTool(call.toolName, tools));
      continue;
    }
    const shown = inputOf(call);
    const checked = validateNow(tool.inputSchema, shown);
    const input = checked instanceof Promise ? await checked : checked;
    if (!input.ok) {
      settleWithError(
        live,
        frame,
        call,
        'invalid-input',
        misfitInput(call.toolName, shown, input.issues),
      );
      continue;
    }
    const guarded = tool.guardrails?.input !== undefined && tool.guardrails.input.length > 0;
    const passed = guarded ? await guardCall({ live, frame, agent }, call, tool) : { input };
    if (passed !== undefined) {
      ready.push({ call, tool, input: passed.input ?? input, json: inputOf(call) });
    }
  }
  const judged = ready.some(({ tool }) => typeof tool.needsApproval === 'function')
    ? await needApprovals(live, frame, ready)
    : undefined;
  const going: ReadyCall<C>[] = [];
  for (const one of ready) {
    const asks = judged === undefined ? one.tool.needsApproval === true : judged.get(one.call);
    if (asks === undefined) continue;
    if (asks) await askForApproval(live, frame, one.call, one.tool);
    else going.push(one);
  }
  await goOn(live, frame, going);
}

/** Starts calls that may run, and hands over those that stand for agents. */
async function goOn<C>(
  live: LiveRun<C>,
  frame: FrameState,
  going: readonly ReadyCall<C>[],
): Promise<void> {
  const handed = going.some(({ tool }) => tool.handoff !== undefined)
    ? await prepareAll(live, frame, going)
    : undefined;
  live.throwIfLost();
  live.abort.throwIfAborted(); // Nothing starts after a cancel, and a call that was not started was not run.
  for (const { call, tool, input, json: shown } of going) {
    if (tool.handoff === undefined) {
      (live.validated ??= new Map()).set(call.callId, input);
      startCall(live, frame, call, tool.effect, shown);
      continue;
    }
    const prepared = handed?.get(call);
    if (prepared === undefined || call.settled) continue;
    if (prepared.event.primitive === 'transfer') transfer(live, frame, call, prepared);
    else stageHandoff(live, frame, prepared);
  }
}

// The last thing that a turn does: its results go with it.
function transfer<C>(
  live: LiveRun<C>,
  frame: FrameState,
  call: CallState,
  prepared: PreparedHandoff<C>,
): void {
  checkHops(live, frame, prepared.event);
  for (const one of frame.calls) {
    if (one !== call) settleWithError(live, frame, one, 'refused', onlyOne);
  }
  stageHandoff(live, frame, prepared);
  const output = json(transferred(call.toolName));
  settle(live, frame, call, { output, isError: false, how: 'handoff' });
}

/** Gets the handoffs of a turn ready; one that cannot be is a result that the model reads. */
async function prepareAll<C>(
  live: LiveRun<C>,
  frame: FrameState,
  going: readonly ReadyCall<C>[],
): Promise<ReadonlyMap<CallState, PreparedHandoff<C>>> {
  const ready = new Map<CallState, PreparedHandoff<C>>();
  const isTransfer = ({ tool }: ReadyCall<C>) => tool.handoff?.primitive === 'transfer';
  // A transfer waits for the turn's other calls; the first of several is the one.
  const others = frame.calls.some(
    (call) => !call.settled && !going.some((one) => one.call === call && isTransfer(one)),
  );
  const [first] = going.filter(isTransfer);
  await Promise.all(
    going.map(async (one) => {
      const { call, tool, input, json: said } = one;
      if (tool.handoff === undefined) return;
      if (isTransfer(one) && (others || one !== first)) {
        if (others) call.waits = true;
        return;
      }
      try {
        const given = { call, input: said, value: input.value };
        ready.set(call, await prepareHandoff(live, frame, tool.handoff, given));
      } catch (error) {
        if (live.abort.aborted) throw error;
        // What the app's functions throw is for the model; clients read that nothing was handed over.
        settle(live, frame, call, {
          ...errorOutcome('refused', `Nothing was handed to ${tool.handoff.agentName}.`),
          modelOutput: json(refusedHandoff(tool.handoff, error)),
        });
      }
    }),
  );
  return ready;
}

/** A call with a tool and an input that fits. */
interface ReadyCall<C> {
  readonly call: CallState;
  readonly tool: Tool<C>;
  readonly input: { readonly ok: true; readonly value: unknown };
  /** The input as it is recorded. */
  readonly json: Json;
}

/** Which calls need an approval, where tools decide that; a call is left out when nobody knows. */
async function needApprovals<C>(
  live: LiveRun<C>,
  frame: FrameState,
  ready: readonly ReadyCall<C>[],
): Promise<ReadonlyMap<CallState, boolean>> {
  await live.journal.flush();
  const context = live.contextOf(frame);
  const needs = new Map<CallState, boolean>();
  await Promise.all(
    ready.map(async ({ tool, input, call }) => {
      const { needsApproval } = tool;
      if (typeof needsApproval === 'boolean') {
        needs.set(call, needsApproval);
        return;
      }
      try {
        const asked = Promise.resolve(needsApproval(input.value, context));
        const answer: unknown = await orAbort(asked, live.abort);
        // Neither an approval nor none: plain JavaScript may have forgotten its `return`.
        if (typeof answer !== 'boolean') {
          throw new Error(`it answered ${shown(answer)}, not true or false`);
        }
        needs.set(call, answer);
      } catch (error) {
        if (live.abort.aborted) return;
        // Nobody knows whether it may run, so it does not.
        const refused = `${call.toolName} was not run: its approval check failed`;
        settle(live, frame, call, {
          ...errorOutcome('refused', `${refused}.`),
          modelOutput: json(`${refused} (${errorText(error)}).`),
        });
      }
    }),
  );
  return needs;
}

/** Goes on with calls whose interruption was answered: starts them, or settles them. */
export async function followDecisions<C>({ live, frame, agent, calls }: Turn<C>): Promise<void> {
  const tools = await toolsOf(live, frame, agent);
  const going: ReadyCall<C>[] = [];
  for (const call of calls) {
    const answer = call.interruption?.answer;
    if (answer === undefined) continue;
    if ('approved' in answer) {
      if (!answer.approved) {
        settleWithError(live, frame, call, 'rejected', answer.message ?? refusal(call));
      } else {
        const input = answer.input ?? inputOf(call);
        const tool = tools.find(call.toolName);
        if (tool === undefined) {
          settleWithError(live, frame, call, 'refused', noSuchTool(call.toolName, tools));
          continue;
        }
        const checked = await validate(tool.inputSchema, input);
        if (checked.ok) going.push({ call, tool, input: checked, json: input });
        else {
          settleWithError(
            live,
            frame,
            call,
            'invalid-input',
            misfitInput(call.toolName, input, checked.issues),
          );
        }
      }
    } else if ('outcome' in answer) {
      if (answer.outcome === 'done') {
        const output = json(answer.output);
        const done: Outcome = { output, isError: false, how: 'reconciled' };
        await settleGuarded({ live, frame, agent }, call, tools.find(call.toolName), done);
      } else if (answer.outcome === 'failed') {
        settleWithError(
          live,
          frame,
          call,
          'reconciled',
          answer.message ?? `${call.toolName} failed.`,
        );
      } else startAgain(live, frame, call, false);
    } else if (call.interruption?.asked.kind === 'input') startAgain(live, frame, call, false);
    else await settleAnswer({ live, frame, agent }, call, tools.find(call.toolName), answer.answer);
  }
  await goOn(live, frame, going);
}

function refusal({ toolName, start }: CallState): string {
  return start === undefined
    ? `${toolName} was not run: the approval was refused.`
    : `${toolName} asked and got no answer: it was refused.`;
}

/** A callback's answer is the result, if it is one. */
async function settleAnswer<C>(
  where: Omit<Turn<C>, 'calls'>,
  call: CallState,
  tool: Tool<C> | undefined,
  answer: Json,
): Promise<void> {
  const known: Outcome = { output: json(answer), isError: false, how: 'ran' };
  const outcome =
    tool?.outputSchema === undefined
      ? known
      : await fitting(known, answer, tool.outputSchema, tool);
  await settleGuarded(where, call, tool, outcome);
}

/**
 * Calls that a former holder started and did not settle (journal.md, Tools and repeats): `read` and `idempotent` run
 * again; a `once` call is looked up by its `reconcile`, else the model or a person is told that its outcome is unknown.
 */
export async function recoverCalls<C>({ live, frame, agent, calls }: Turn<C>): Promise<void> {
  const tools = await toolsOf(live, frame, agent);
  await live.journal.flush();
  for (const call of calls) {
    const tool = tools.find(call.toolName);
    const effect = call.start?.effect ?? 'once';
    if (tool === undefined) {
      settleWithError(
        live,
        frame,
        call,
        'unknown-outcome',
        repeatable(effect) ? noSuchTool(call.toolName, tools) : unknownOutcome(call.toolName),
      );
    } else if (repeatable(effect)) startAgain(live, frame, call, false);
    else await recoverOnce({ live, frame, agent }, call, tool);
  }
}

async function recoverOnce<C>(
  where: Omit<Turn<C>, 'calls'>,
  call: CallState,
  tool: Tool<C>,
): Promise<void> {
  const { live, frame } = where;
  if (tool.reconcile !== undefined) {
    let found: Outcome | undefined;
    try {
      const input = await validate(tool.inputSchema, call.start?.input ?? call.input);
      if (input.ok) {
        const context = new LiveToolContext(live, frame, call, live.abort);
        const looked = await orAbort(tool.reconcile(input.value, context), live.abort);
        if (!looked.done) return startAgain(live, frame, call, true);
        context.keepPatch();
        found = { ...toOutput(looked.output, tool), isError: false, how: 'reconciled' };
      }
    } catch (error) {
      live.throwIfLost();
      live.log('warn', 'reconcile failed', {
        tool: call.toolName,
        callId: call.callId,
        error: errorText(error),
      });
    }
    if (found !== undefined) return settleGuarded(where, call, tool, found);
  }
  if (tool.onAmbiguous === 'report') {
    settleWithError(live, frame, call, 'unknown-outcome', unknownOutcome(call.toolName));
    return;
  }
  askForOutcome(live, frame, call);
}

/** Settles a call by what became known of it, if its guardrails let it pass. */
async function settleGuarded<C>(
  where: Omit<Turn<C>, 'calls'>,
  call: CallState,
  tool: Tool<C> | undefined,
  known: Outcome,
): Promise<void> {
  const outcome =
    tool?.guardrails?.output === undefined ? known : await guardResult(where, call, tool, known);
  settle(where.live, where.frame, call, outcome);
  if (outcome.thrown !== undefined) throw outcome.thrown;
}

/** Runs started calls side by side, in call order, at most `toolConcurrency` at once; each is recorded as it settles. */
export async function runCalls<C>({ live, frame, agent, calls }: Turn<C>): Promise<void> {
  const listed = toolsOf(live, frame, agent);
  const tools = listed instanceof Promise ? await listed : listed;
  const writing = live.journal.flush();
  if (writing !== undefined) await writing;
  if (live.lease !== undefined) await live.lease.ensureThird();
  const limit = Math.max(1, live.state.options.toolConcurrency ?? agent.toolConcurrency);
  let next = 0;
  let thrown: unknown;
  const work = async (): Promise<void> => {
    for (;;) {
      const call = calls[next];
      next += 1;
      if (call === undefined || live.failure !== undefined) return;
      if (live.abort.aborted) {
        // Its start is recorded, but this process knows that it never ran.
        settleWithError(
          live,
          frame,
          call,
          'not-run',
          `${call.toolName} was not run: the run ended before.`,
        );
        continue;
      }
      let outcome = await runCall(live, frame, agent, call, tools);
      if (live.failure !== undefined) return;
      if (outcome.asks !== undefined) {
        await askQuestion(live, frame, call, outcome.asks);
        continue;
      }
      const tool = tools.find(call.toolName);
      if (tool?.guardrails?.output !== undefined) {
        outcome = await guardResult({ live, frame, agent }, call, tool, outcome);
      }
      settle(live, frame, call, withEditNote(call, outcome));
      if (outcome.thrown !== undefined && (thrown === undefined || isTripwire(outcome.thrown))) {
        thrown = outcome.thrown;
      }
      // The last one is written with what comes next.
      if (calls.length > 1 && calls.some((one) => !one.settled)) live.flushSoon();
    }
  };
  if (calls.length === 1) await work();
  else await Promise.all(Array.from({ length: Math.min(limit, calls.length) }, work));
  live.throwIfLost();
  if (thrown !== undefined) throw thrown;
}

function startCall<C>(
  live: LiveRun<C>,
  frame: FrameState,
  call: CallState,
  effect: Effect,
  input: Json,
): void {
  live.stage(frame, {
    type: 'tool-start',
    callId: call.callId,
    toolName: call.toolName,
    input,
    effect,
    idempotencyKey: idempotencyKeyOf(live.state.runId, call.callId),
  });
}

function startAgain<C>(
  live: LiveRun<C>,
  frame: FrameState,
  call: CallState,
  reconciled: boolean,
): void {
  live.stage(frame, {
    type: 'tool-start',
    callId: call.callId,
    toolName: call.toolName,
    input: call.start?.input ?? call.input,
    effect: call.start?.effect ?? 'once',
    idempotencyKey: idempotencyKeyOf(live.state.runId, call.callId),
    ...(reconciled ? { reconciled } : {}),
  });
}
