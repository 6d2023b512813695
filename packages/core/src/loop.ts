import type { AgentDefinition } from './agent-definition.ts';
import { answer, conclude } from './answer.ts';
import { endRun, failFrame, worksForAnother } from './ending.ts';
import { AgentError, toFailure } from './errors.ts';
import type { RunLimits, StopReason } from './events.ts';
import { HandedOverError } from './leaving.ts';
import { LeaseLostError } from './lease.ts';
import { LimitReached } from './limit-reached.ts';
import type { LiveRun } from './live-run.ts';
import { askModel } from './model-call.ts';
import { tripwire } from './guard.ts';
import { guardInput } from './guard-input.ts';
import { open, openingStep } from './opening.ts';
import { keepBest } from './reflect.ts';
import { type FrameState } from './frame.ts';
import { workedMs, type RunState } from './state.ts';
import { nextStep, type FrameStep } from './step.ts';
import { followDecisions, judgeCalls, recoverCalls, runCalls } from './tool-calls.ts';

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
  const { tripped } = live.state;
  if (tripped !== undefined && live.state.end === undefined) {
    await endFailed(live, tripwire(tripped));
    return 'ended';
  }
  adopt(live, options.attempt);
  const rounds: Rounds = { left: options.turns };
  // Made when frames work side by side: most runs have one.
  let crew: Crew<C> | undefined;
  let alone: FrameState | undefined;
  for (;;) {
    if (live.store !== undefined) await live.drainInbox();
    try {
      live.throwIfLost();
      crew?.throwIfFailed();
      let next = nextStep(live.state);
      if (live.state.paused && next.type !== 'pause') {
        live.stage(live.root, { type: 'run-resume', attempt: options.attempt });
        next = nextStep(live.state);
      }
      switch (next.type) {
        case 'ended':
          return 'ended';
        case 'cancel':
          await crew?.allBack();
          await endRun(live, { status: 'cancelled' });
          return 'ended';
        case 'pause':
          if (crew?.busy === true) {
            await crew.oneBack();
            continue;
          }
          if (!live.state.paused) {
            live.stage(live.root, { type: 'run-pause', interruptions: next.interruptions });
          }
          await live.journal.flush();
          if (live.state.cancelRequested) continue; // It came while the pause was written.
          return 'paused';
        case 'work': {
          const [step] = next.steps;
          let went = true;
          if (next.steps.length === 1 && step !== undefined && crew?.busy !== true) {
            alone = step.frame;
            const working = takeStep(live, step, rounds);
            if (working === false) went = false;
            else if (working !== undefined) await working;
            alone = undefined;
          } else {
            crew ??= new Crew(live, rounds);
            went = await crew.work(next.steps);
          }
          if (went) continue;
          if (step === undefined) {
            throw new Error(`Run ${live.state.runId} has no open frame that could go on.`);
          }
          await live.journal.flush();
          if (live.state.cancelRequested) continue;
          return 'yielded';
        }
        default:
          next satisfies never;
      }
    } catch (error) {
      if (alone !== undefined && endsFrameOnly(live, alone, error)) {
        failFrame(live, alone, toFailure(error));
        alone = undefined;
        continue;
      }
      alone = undefined;
      await crew?.callOff(error);
      live.throwIfLeaseLost();
      if (live.failure instanceof HandedOverError && live.state.end === undefined) {
        // What has settled is recorded; what has not is started again, or looked up, by whoever goes on.
        await live.journal.flush();
        return 'yielded';
      }
      // What cannot be written now may be written by whoever takes the run up; a full store takes its end.
      const unwritten = live.journal.failure;
      if (unwritten !== undefined && !isStoreFull(unwritten)) throw unwritten;
      if (live.state.end !== undefined) throw error;
      if (live.state.cancelRequested && live.failure === undefined) continue;
      const stopReason = error instanceof LimitReached ? error.stopReason : live.stopped;
      await endRun(
        live,
        stopReason === undefined
          ? { status: 'failed', error: toFailure(error) }
          : { status: 'stopped', stopReason },
      );
      return 'ended';
    }
  }
}

/** How many rounds of turns are left: a round asks the models of all frames that are ready. */
interface Rounds {
  left: number;
}

/** Frames that work side by side: each does its steps by itself. */
class Crew<C> {
  readonly #live: LiveRun<C>;
  readonly #rounds: Rounds;
  readonly #away = new Map<FrameState, Promise<void>>();
  /** Frames whose next turn is more than allowed. */
  readonly #denied = new Set<FrameState>();
  #failed = false;
  #failure: unknown;

  constructor(live: LiveRun<C>, rounds: Rounds) {
    this.#live = live;
    this.#rounds = rounds;
  }

  get busy(): boolean {
    return this.#away.size > 0;
  }

  /** Once for each failure: after a cancel the run still has its end to make. */
  throwIfFailed(): void {
    if (!this.#failed) return;
    this.#failed = false;
    throw this.#failure;
  }

  /** Takes the steps that are due; `false` when all that is left is a turn more than allowed. */
  async work(steps: readonly FrameStep[]): Promise<boolean> {
    const due = steps.filter(({ frame }) => !this.#away.has(frame) && !this.#denied.has(frame));
    if (due.length > 0 && !this.busy && this.#rounds.left < Number.POSITIVE_INFINITY) {
      // With a limit, the next round waits until all are back, and counts once.
      const round: Rounds = { left: this.#rounds.left > 0 ? due.length : 0 };
      const before = round.left;
      for (const step of due) this.#send(step, round);
      await this.allBack();
      if (round.left < before) this.#rounds.left -= 1;
      return true;
    }
    for (const step of due) this.#send(step, this.#rounds);
    if (!this.busy) return false;
    // What leads to nothing more is written now: an answer, a question to a person. The others may work for long.
    if (due.length === 0) this.#live.flushSoon();
    await this.oneBack();
    return true;
  }

  /** Resolves when a frame has done its step, or somebody has posted what another may wait for. */
  async oneBack(): Promise<void> {
    await Promise.race([...this.#away.values(), this.#live.posted()]);
  }

  async allBack(): Promise<void> {
    await Promise.all(this.#away.values());
  }

  /** What is under way is aborted and waited for: nothing goes on behind the end of a run. */
  async callOff(reason: unknown): Promise<void> {
    if (!this.busy) return;
    this.#live.abort.abort(reason);
    await this.allBack();
  }

  #send(step: FrameStep, rounds: Rounds): void {
    const { frame } = step;
    const back = this.#take(step, rounds)
      .catch((error: unknown) => {
        if (this.#failed) return;
        this.#failed = true;
        this.#failure = error;
      })
      .finally(() => this.#away.delete(frame));
    this.#away.set(frame, back);
  }

  async #take(step: FrameStep, rounds: Rounds): Promise<void> {
    try {
      const working = takeStep(this.#live, step, rounds);
      if (working === false) this.#denied.add(step.frame);
      else await working;
    } catch (error) {
      if (!endsFrameOnly(this.#live, step.frame, error)) throw error;
      failFrame(this.#live, step.frame, toFailure(error));
    }
  }
}

/** Whether an error is a matter of this frame: then the agent that waits for it reads it. */
function endsFrameOnly<C>(live: LiveRun<C>, frame: FrameState, error: unknown): boolean {
  if (live.failure !== undefined || live.abort.aborted || live.journal.failure !== undefined) {
    return false;
  }
  if (error instanceof LimitReached || error instanceof LeaseLostError) return false;
  if (AgentError.isInstance(error) && error.code === 'guardrail_tripwire') return false;
  return worksForAnother(frame) && frame.children?.every(({ ended }) => ended) !== false;
}

/** Takes one step; `false` when it is a turn more than allowed. */
function takeStep<C>(
  live: LiveRun<C>,
  step: FrameStep,
  rounds: Rounds,
): Promise<unknown> | false | undefined {
  // What was started settles here, and an answer that is there is given.
  if (live.leaves && step.type !== 'run-calls' && step.type !== 'finish') return false;
  const { frame } = step;
  const agent = agentOf(live, frame);
  switch (step.type) {
    case 'ask-model': {
      if (limitReached(live, frame, agent)) return undefined;
      if (frame.turn === 0 && agent.inputGuardrails.length > 0) {
        const guarding = guardInput(live, frame, agent);
        if (guarding !== undefined) return guarding;
      }
      const opening = openingStep(live, frame, agent);
      if (opening?.type === 'answer') return conclude(live, frame, agent, opening);
      if (opening !== undefined) return open(live, frame, agent, opening);
      if (rounds.left <= 0) return false;
      rounds.left -= 1;
      return frame.reflection === undefined
        ? askModel(live, frame, agent)
        : rewrite(live, frame, agent);
    }
    case 'judge-calls':
      return judgeCalls({ live, frame, agent, calls: step.calls });
    case 'follow-decisions':
      return followDecisions({ live, frame, agent, calls: step.calls });
    case 'recover-calls':
      return recoverCalls({ live, frame, agent, calls: step.calls });
    case 'run-calls':
      return runCalls({ live, frame, agent, calls: step.calls });
    case 'finish':
      return answer(live, frame, agent);
    default:
      return step satisfies never;
  }
}

/** A turn of an answer that is improved: if it comes to nothing, the best draft is the answer. */
async function rewrite<C>(
  live: LiveRun<C>,
  frame: FrameState,
  agent: AgentDefinition<C, unknown>,
): Promise<void> {
  try {
    await askModel(live, frame, agent);
  } catch (error) {
    const lost = live.failure ?? live.journal.failure;
    if (live.abort.aborted || lost !== undefined) throw error;
    if (!keepBest(live, frame, toFailure(error))) throw error;
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
  await endRun(
    live,
    live.state.cancelRequested
      ? { status: 'cancelled' }
      : { status: 'failed', error: toFailure(error) },
  );
}

/** Ends a run that nobody gets any further, with code `crash_loop`. */
async function giveUpCrashLoop<C>(live: LiveRun<C>, attempt: number): Promise<void> {
  if (live.state.paused) live.stage(live.root, { type: 'run-resume', attempt });
  await endRun(live, {
    status: 'failed',
    error: {
      code: 'crash_loop',
      message: `The run was taken up ${attempt} times and never got further: each process that held it went away. Look at its last event, then start it anew.`,
    },
  });
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

/**
 * Looks at the limits before a turn. Its own turns are a frame's own matter: one that works for another fails.
 *
 * @throws LimitReached.
 */
function limitReached<C>(
  live: LiveRun<C>,
  frame: FrameState,
  agent: AgentDefinition<C, unknown>,
): boolean {
  const { state } = live;
  if (live.stopped !== undefined) throw new LimitReached(live.stopped);
  const { limits, maxTurns } = state.options;
  const turns = maxTurns ?? agent.maxTurns ?? live.around.maxTurns ?? 10;
  if (frame.turn >= turns) {
    const message = `${frame.agent} used its ${turns} turns and did not finish.`;
    if (keepBest(live, frame, { code: 'limit', message })) return true;
    if (!worksForAnother(frame)) throw new LimitReached('max_turns');
    failFrame(live, frame, { code: 'limit', message });
    return true;
  }
  const reached = runLimit(state, limits);
  if (reached !== undefined) throw new LimitReached(reached);
  return false;
}

function runLimit(state: RunState, limits: RunLimits | undefined): StopReason | undefined {
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
