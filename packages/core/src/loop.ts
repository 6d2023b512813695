import type { AgentDefinition } from './agent-definition.ts';
import { AgentError, toFailure, type RunFailure } from './errors.ts';
import type { StopReason } from './events.ts';
import type { Json } from './json.ts';
import type { LiveRun } from './live-run.ts';
import { textOf, type Message, type Output } from './message.ts';
import { askModel } from './model-call.ts';
import { toJson } from './json.ts';
import { validate } from './schema.ts';
import { usageOf, workedMs, type CallState, type FrameState } from './state.ts';
import { nextStep } from './step.ts';
import { orAbort } from './wait.ts';
import {
  followDecisions,
  judgeCalls,
  recoverCalls,
  runCalls,
  settleRest,
  type Turn,
} from './tool-calls.ts';

/**
 * The one loop: looks at the state, does what comes next, records what happened; until the run ends, pauses, or has had
 * `turns` turns. Everything that runs a run goes through here: run, stream, step, resume, hosts.
 *
 * @throws LeaseLostError when somebody else holds the run; the store's error when it cannot be written. Every other
 *   failure ends the run `failed`.
 */
export async function advance<C>(
  live: LiveRun<C>,
  options: {
    readonly turns: number;
    readonly attempt: number;
    /** Why the run cannot go on, whatever its state. */
    readonly failure?: unknown;
  },
): Promise<'ended' | 'paused' | 'yielded'> {
  if (options.failure !== undefined) {
    await endFailed(live, options.failure);
    return 'ended';
  }
  if (options.attempt >= maxAttempts && live.state.end === undefined) {
    await giveUpCrashLoop(live, options.attempt);
    return 'ended';
  }
  let turns = 0;
  adopt(live, options.attempt);
  for (;;) {
    if (live.store !== undefined) await live.drainInbox();
    try {
      live.throwIfLost();
      let next = nextStep(live.state);
      if (live.state.paused && next.type !== 'pause') {
        live.stage(live.root, { type: 'run-resume', attempt: options.attempt });
        next = nextStep(live.state);
      }
      switch (next.type) {
        case 'ended':
          return 'ended';
        case 'cancel':
          await finish(live, { status: 'cancelled' });
          return 'ended';
        case 'pause':
          if (!live.state.paused) {
            live.stage(live.root, { type: 'run-pause', interruptions: next.interruptions });
          }
          await live.journal.flush();
          if (live.state.cancelRequested) continue; // It came while the pause was written.
          return 'paused';
        case 'ask-model': {
          const agent = agentOf(live, next.frame);
          const stopReason = live.stopped ?? limitReached(live, next.frame, agent);
          if (stopReason !== undefined) {
            await finish(live, { status: 'stopped', stopReason });
            return 'ended';
          }
          if (turns >= options.turns) {
            await live.journal.flush();
            if (live.state.cancelRequested) continue;
            return 'yielded';
          }
          turns += 1;
          await askModel(live, next.frame, agent);
          break;
        }
        case 'judge-calls':
          await judgeCalls(turnOf(live, next));
          break;
        case 'follow-decisions':
          await followDecisions(turnOf(live, next));
          break;
        case 'recover-calls':
          await recoverCalls(turnOf(live, next));
          break;
        case 'run-calls':
          await runCalls(turnOf(live, next));
          break;
        case 'finish': {
          if (await answer(live, next.frame, agentOf(live, next.frame))) return 'ended';
          break;
        }
        default:
          next satisfies never;
      }
    } catch (error) {
      live.throwIfLeaseLost();
      // What cannot be written now may be written by whoever takes the run up; a full store takes its end.
      const unwritten = live.journal.failure;
      if (unwritten !== undefined && !isStoreFull(unwritten)) throw unwritten;
      if (live.state.end !== undefined) throw error;
      if (live.state.cancelRequested && live.failure === undefined) continue;
      await finish(
        live,
        live.stopped === undefined
          ? { status: 'failed', error: toFailure(error), cause: error }
          : { status: 'stopped', stopReason: live.stopped },
      );
      return 'ended';
    }
  }
}

function isStoreFull(error: unknown): boolean {
  return AgentError.isInstance(error) && error.code === 'store_full';
}

/** How often a lease may lapse in a row, without progress, before the run is given up. */
const maxAttempts = 5;

// A new holder says so where something may have been under way: what was shown is void, what was started is interrupted.
function adopt<C>(live: LiveRun<C>, attempt: number): void {
  const { state } = live;
  if (state.paused || state.end !== undefined) return;
  const started = [...state.frames.values()].some(({ calls }) =>
    calls.some((call) => call.start !== undefined && !call.settled),
  );
  if (attempt > 0 || started) live.stage(live.root, { type: 'run-resume', attempt });
}

/** Ends a run that cannot go on for what surrounds it; a cancel that was posted comes first. */
async function endFailed<C>(live: LiveRun<C>, error: unknown): Promise<void> {
  await live.drainInbox();
  if (live.state.paused) live.stage(live.root, { type: 'run-resume', attempt: 0 });
  await finish(
    live,
    live.state.cancelRequested
      ? { status: 'cancelled' }
      : { status: 'failed', error: toFailure(error) },
  );
}

/** Ends a run that nobody gets any further, with code `crash_loop`. */
async function giveUpCrashLoop<C>(live: LiveRun<C>, attempt: number): Promise<void> {
  if (live.state.paused) live.stage(live.root, { type: 'run-resume', attempt });
  await finish(live, {
    status: 'failed',
    error: {
      code: 'crash_loop',
      message: `The run was taken up ${attempt} times and never got further: each process that held it went away. Look at its last event, then start it anew.`,
    },
  });
}

function turnOf<C>(
  live: LiveRun<C>,
  { frame, calls }: { readonly frame: FrameState; readonly calls: readonly CallState[] },
): Turn<C> {
  return { live, frame, agent: agentOf(live, frame), calls };
}

function agentOf<C>(live: LiveRun<C>, frame: FrameState): AgentDefinition<C, unknown> {
  const agent = live.around.agent(frame.agent);
  if (agent === undefined) {
    throw new AgentError(
      'agent_gone',
      `Agent ${frame.agent} is not in this process any more. Deploy it again, or name it in another agent's aliases.`,
    );
  }
  agent.markUsed();
  return agent;
}

function limitReached<C>(
  live: LiveRun<C>,
  frame: FrameState,
  agent: AgentDefinition<C, unknown>,
): StopReason | undefined {
  const { state } = live;
  const { limits, maxTurns } = state.options;
  const turns = maxTurns ?? agent.maxTurns ?? live.around.maxTurns ?? 10;
  if (frame.turn >= turns) return 'max_turns';
  if (state.seq >= (limits?.events ?? 10_000)) return 'max_events';
  if (limits === undefined) return undefined;
  if (over(state.inputTokens + state.outputTokens, limits.totalTokens)) return 'total_tokens';
  if (over(state.outputTokens, limits.outputTokens)) return 'output_tokens';
  if (over(state.costUsd, limits.costUsd)) return 'cost';
  if (over(workedMs(state, Date.now()), limits.wallClockMs)) return 'wall_clock';
  return undefined;
}

function over(value: number, limit: number | undefined): boolean {
  return limit !== undefined && value >= limit;
}

/** Makes the model's last message the answer, or asks for it again; `true` when the run has ended. */
async function answer<C>(
  live: LiveRun<C>,
  frame: FrameState,
  agent: AgentDefinition<C, unknown>,
): Promise<boolean> {
  const { last } = frame;
  if (last === undefined) return false;
  const failure = answerFailure(last.message, last.finishReason);
  if (failure !== undefined) {
    await finish(live, { status: 'failed', error: failure });
    return true;
  }
  const read = await readOutput(last.message, agent);
  if (!read.ok) {
    if (frame.outputRetries >= agent.maxOutputRetries) {
      await finish(live, {
        status: 'failed',
        error: {
          code: agent.outputType === undefined ? 'model_behavior' : 'invalid_output',
          message: `${frame.agent} gave no usable answer in ${frame.outputRetries + 1} tries: ${read.issues}`,
        },
      });
      return true;
    }
    live.stage(frame, { type: 'warning', code: 'invalid-output', message: read.issues });
    return false;
  }
  let answered = { response: textOf(last.message), output: read.output };
  if (agent.afterRun !== undefined) {
    const changed = Promise.resolve(agent.afterRun(answered, live.contextOf(frame)));
    answered = { ...answered, ...(await orAbort(changed, live.abort)) };
  }
  live.abort.throwIfAborted(); // A cancel that came meanwhile wins.
  live.stage(frame, { type: 'frame-end', output: answered.output });
  await finish(live, { status: 'completed', response: answered.response, output: answered.output });
  return true;
}

function answerFailure(message: Message, finishReason: string): RunFailure | undefined {
  const refusal = message.parts.find((part) => part.type === 'refusal');
  if (refusal !== undefined || finishReason === 'refusal') {
    const said = refusal === undefined ? textOf(message) : refusal.text;
    return { code: 'model_refusal', message: `The model refused to answer: ${said}` };
  }
  if (finishReason === 'content-filter') {
    return {
      code: 'model_error',
      reason: 'content-filter',
      message: "The provider's content filter stopped the answer.",
    };
  }
  return undefined;
}

type ReadOutput =
  | { readonly ok: true; readonly output: Output }
  | { readonly ok: false; readonly issues: string };

/** What the last message answers: text, or JSON that fits the output type. */
async function readOutput<C>(
  message: Message,
  agent: AgentDefinition<C, unknown>,
): Promise<ReadOutput> {
  const text = textOf(message);
  if (agent.outputType === undefined) {
    const files = message.parts.filter((part) => part.type === 'file');
    if (text === '' && files.length === 0) {
      return {
        ok: false,
        issues: 'Your last message was empty. Answer the request, or call a tool.',
      };
    }
    return files.length === 0
      ? { ok: true, output: { type: 'json', value: text } }
      : { ok: true, output: { type: 'content', parts: message.parts } };
  }
  let value: Json;
  try {
    value = toJson(JSON.parse(unfenced(text)));
  } catch {
    return {
      ok: false,
      issues: `Your answer is not valid JSON. Answer with one JSON value that fits the schema, and nothing else.`,
    };
  }
  const checked = await validate(agent.outputType, value);
  return checked.ok
    ? { ok: true, output: { type: 'json', value } }
    : {
        ok: false,
        issues: `Your answer does not fit the schema: ${checked.issues}. Answer again with corrected JSON, and nothing else.`,
      };
}

// Some models wrap JSON in a code fence whatever they are told.
function unfenced(text: string): string {
  return /^\s*```(?:json)?\s*\n([\s\S]*?)\n?```\s*$/.exec(text)?.[1] ?? text;
}

type Ending =
  | { readonly status: 'completed'; readonly response: string; readonly output: Output }
  | { readonly status: 'stopped'; readonly stopReason: StopReason }
  | { readonly status: 'cancelled' }
  | { readonly status: 'failed'; readonly error: RunFailure; readonly cause?: unknown };

/** Settles what is open, records `run-end`, and writes everything. */
async function finish<C>(live: LiveRun<C>, ending: Ending): Promise<void> {
  settleRest(live);
  const { state } = live;
  const { last } = live.root;
  const response =
    ending.status === 'completed'
      ? ending.response
      : last === undefined
        ? ''
        : textOf(last.message);
  live.stage(live.root, {
    type: 'run-end',
    status: ending.status,
    response,
    ...(ending.status === 'completed' ? { output: ending.output } : {}),
    ...(last === undefined ? {} : { finishReason: last.finishReason }),
    ...(ending.status === 'stopped' ? { stopReason: ending.stopReason } : {}),
    ...(ending.status === 'failed' ? { error: ending.error } : {}),
    usage: usageOf(state),
    handoffPath: state.handoffPath.slice(),
  });
  const writing = live.journal.flush();
  if (writing !== undefined) await writing;
  live.span?.set({ status: ending.status });
  if (!live.logs) return;
  live.log(ending.status === 'failed' ? 'error' : 'info', `run ${ending.status}`, {
    agent: live.root.agent,
    turns: live.root.turn,
    inputTokens: state.inputTokens,
    outputTokens: state.outputTokens,
    ms: workedMs(state, Date.now()),
    ...(ending.status === 'failed' ? { code: ending.error.code, error: ending.error.message } : {}),
    ...(ending.status === 'stopped' ? { stopReason: ending.stopReason } : {}),
  });
}
