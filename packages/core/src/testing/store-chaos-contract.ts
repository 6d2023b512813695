import { AgentError } from '../errors.ts';
import { randomId } from '../ids.ts';
import type { RunResult } from '../run-result.ts';
import { equal, ok } from './assert.ts';
import { seededRandom } from './seeded-random.ts';
import {
  because,
  storeCases,
  volumeOf,
  type MakeStore,
  type StoreCase,
  type StoreFixture,
  type StoreLimits,
} from './store-case.ts';
import {
  holdsAtTheEnd,
  holdsNow,
  noDeeds,
  processOn,
  runsOf,
  type Process,
} from './store-world.ts';
import type { TestFunctions } from './test-functions.ts';

/**
 * Conversations over a store that fails by chance, in two processes that die and are replaced: part of `storeContract`
 * with a few seeds, here with as many as one likes. What a seed rolls for each call is fixed; the order in which
 * processes make their calls is the machine's.
 */
export function storeChaosContract(
  test: TestFunctions,
  name: string,
  make: MakeStore,
  options: { readonly seeds: readonly number[]; readonly limits?: StoreLimits | undefined },
): void {
  const { seeds, limits = {} } = options;
  test.describe(`store: ${name}: chaos${because(limits.clock)}`, () => {
    for (const seed of seeds) chaosCase(storeCases(test, make, limits), seed);
  });
}

export function chaosContract(it: StoreCase, limits: StoreLimits): void {
  for (let seed = 1; seed <= volumeOf(limits).seeds; seed++) chaosCase(it, seed);
}

function chaosCase(it: StoreCase, seed: number): void {
  it(
    `loses and doubles nothing while calls fail and processes die, seed ${seed}`,
    (fixture) => chaos(fixture, seed),
    { ticking: true },
  );
}

/** A lease whose answer was lost lapses within the patience of a test. */
const leaseMs = 1_000;
const sessions = ['s0', 's1', 's2'];
/** What is asked in one session after the other; the words are tools. */
const questions = ['pay look', 'ask note', 'Just talk.', 'pay+look+note ask', 'note+note pay'];

async function chaos({ store, other, pass }: StoreFixture, seed: number) {
  const random = seededRandom(seed);
  const deeds = noDeeds();
  const asked: { [sessionId: string]: string[] } = {};
  const failures: unknown[] = [];
  const background: Promise<void>[] = [];
  /** Goes on beside everything else, and is waited for at the end. */
  const meanwhile = (promise: Promise<unknown>): void => {
    background.push(
      promise.then(
        () => undefined,
        (error: unknown) => void failures.push(error),
      ),
    );
  };
  let deaths = 0;

  const spawn = (slot: number): Process => {
    // The first few die, each at some write of its own.
    const mortal = deaths < 4;
    const process = processOn(slot === 0 ? store : other, deeds, {
      leaseMs,
      chaos: {
        seed: Math.floor(random() * 2 ** 31),
        failBefore: 0.06,
        lostAnswers: 0.06,
        slowMs: 2,
      },
      dies: mortal
        ? { write: 2 + Math.floor(random() * 30), when: random() < 0.5 ? 'before' : 'after' }
        : undefined,
    });
    void process.gone.then(() => {
      deaths += 1;
      meanwhile(pass(leaseMs + 5));
    });
    return process;
  };
  const processes = [spawn(0), spawn(1)];
  const pick = (): Process => {
    const slot = random() < 0.5 ? 0 : 1;
    let process = processes[slot];
    if (process === undefined || process.isGone()) processes[slot] = process = spawn(slot);
    return process;
  };
  const request = (text: string, sessionId: string, key: string): Promise<RunResult> => {
    const process = pick();
    return orGone(process, process.runner.run(text, { sessionId, idempotencyKey: key }));
  };
  /** Both processes may be asked to decide, in different ways: one answer counts. */
  const decide = async ({ runId, interruptions }: RunResult): Promise<void> => {
    const decisions = interruptions.map(({ id }) => ({
      interruptionId: id,
      approved: random() < 0.7,
    }));
    await Promise.allSettled(
      Array.from({ length: random() < 0.5 ? 1 : 2 }, async (_, which) => {
        const process = pick();
        const signal = { id: `d${which}`, type: 'decide', decisions, by: `who${which}` } as const;
        await orGone(process, process.runner.post(runId, signal));
      }),
    );
  };
  const cancelSoon = async (sessionId: string): Promise<void> => {
    await new Promise<void>((done) => setTimeout(done, random() * 60));
    const { activeRunId } = await store.sessions.load(sessionId);
    if (activeRunId === undefined) return;
    const process = pick();
    await orGone(process, process.runner.cancel(activeRunId, 'enough'));
  };

  const chat = async (sessionId: string, text: string): Promise<void> => {
    const key = `${randomId()} ${text}`;
    const cancelled = random() < 0.2;
    if (cancelled) meanwhile(unlessByChance(cancelSoon(sessionId)));
    const patience = performance.now() + 20_000;
    let failure: unknown;
    while (performance.now() < patience) {
      if (random() < 0.3) meanwhile(unlessByChance(request(text, sessionId, key)));
      const result = await unlessByChance(request(text, sessionId, key), (error) => {
        failure = error;
      });
      if (result === undefined) {
        await new Promise<void>((done) => setTimeout(done, 5));
      } else if (result.status === 'interrupted') {
        await decide(result);
      } else {
        const fine =
          result.status === 'completed' ||
          (cancelled && result.status === 'cancelled') ||
          // Whose process died each time before it got further: the run says so.
          result.error?.code === 'crash_loop';
        ok(fine, `${text}: ${result.status} ${JSON.stringify(result.error)}`);
        if (result.status === 'completed') equal(result.response, `Done: ${text}`, 'the answer');
        return;
      }
    }
    throw new Error(`${sessionId} is stuck at ${text}: ${String(failure)}`);
  };

  await Promise.all(
    sessions.map(async (sessionId) => {
      for (const question of questions) {
        const text = `${question} (${sessionId})`;
        (asked[sessionId] ??= []).push(text);
        await chat(sessionId, text);
        await holdsNow(store);
      }
    }),
  );
  for (let done = 0; done < background.length; done++) await background[done];
  for (const process of processes) process.kill();
  await Promise.all(background);
  for (const failure of failures) throw failure;
  equal((await runsOf(store)).length, sessions.length * questions.length, 'each key has one run');
  ok(deaths >= 2, 'processes died');
  await holdsAtTheEnd(other, deeds, asked);
}

/** A process that is gone answers nobody. */
async function orGone<T>(process: Process, asked: Promise<T>): Promise<T> {
  return Promise.race([
    asked,
    process.gone.then(() => {
      throw new AgentError('store_unavailable', 'The process is gone.');
    }),
  ]);
}

/** `undefined` for what failed as it may in such a world; whatever else fails, fails the test. */
async function unlessByChance<T>(
  promise: Promise<T>,
  onFailure?: (error: unknown) => void,
): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    onFailure?.(error);
    if (AgentError.isInstance(error)) {
      if (mayBe.has(error.code)) return undefined;
    } else if (String(error).includes('failed by chance')) {
      return undefined;
    }
    throw error;
  }
}

const mayBe: ReadonlySet<string> = new Set([
  'store_unavailable',
  // A run that nobody confirmed is deleted when its session was let go of; who had just joined it asks again.
  'not_found',
  // A repeat of the question before may still be at work.
  'session_busy',
  'session_conflict',
  'run_conflict',
]);
