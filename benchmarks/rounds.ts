import type { Crew } from './crew.ts';
import type { Worker } from './worker-process.ts';
import type { Took } from './worker.ts';
import type { Workload } from './workloads.ts';

/** By adapter: what one run took in each round. */
export type Rounds = ReadonlyMap<string, readonly Took[]>;

export interface RoundOptions {
  readonly rounds?: number | undefined;
  /** How long a batch is to take. Default 60. */
  readonly batchMs?: number | undefined;
  /** How long an adapter works before it is timed, so that its code is compiled. Default 1,200. */
  readonly warmUpMs?: number | undefined;
}

/** Batches of all adapters, one after the other, in an order that rotates from round to round. */
export async function measure(
  workers: readonly Worker[],
  workload: Workload | Crew,
  { rounds = 11, batchMs = 60, warmUpMs = 1_200 }: RoundOptions = {},
): Promise<Rounds> {
  const times = new Map<Worker, number>();
  for (const worker of workers) {
    await worker.prepare(workload);
    times.set(worker, await calibrate(worker, batchMs, warmUpMs));
  }
  const taken = new Map(workers.map(({ name }) => [name, [] as Took[]]));
  for (let round = 0; round < rounds; round += 1) {
    for (let index = 0; index < workers.length; index += 1) {
      const worker = workers[(index + round) % workers.length];
      if (worker === undefined) continue;
      const runs = times.get(worker) ?? 1;
      const { wall, processor } = await worker.batch(runs);
      taken.get(worker.name)?.push({ wall: wall / runs, processor: processor / runs });
    }
  }
  return taken;
}

/** Warms up, and finds how many runs make a batch. */
async function calibrate(worker: Worker, batchMs: number, warmUpMs: number): Promise<number> {
  let runs = 1;
  let spent = 0;
  for (;;) {
    const { wall } = await worker.batch(runs);
    spent += wall;
    if (spent > warmUpMs && (runs === 1 || wall > batchMs / 2)) {
      return Math.max(1, Math.round((runs * batchMs) / wall));
    }
    runs = Math.max(runs, Math.ceil((runs * batchMs) / Math.max(wall, batchMs / 4)));
  }
}

export type Measure = keyof Took;

/** The median over the rounds of what one adapter took for each time of another. */
export function ratio(
  rounds: Rounds,
  name: string,
  to: string,
  by: Measure = 'processor',
): number | undefined {
  return ratioOf(rounds.get(name), rounds.get(to), (took) => took[by]);
}

export function ratioOf<T>(
  over: readonly T[] | undefined,
  under: readonly T[] | undefined,
  by: (sample: T) => number,
): number | undefined {
  return median(ratios(over, under, by));
}

/** The median over the rounds, and how far they lie apart. */
export interface Range {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

export function rangeOf<T>(
  over: readonly T[] | undefined,
  under: readonly T[] | undefined,
  by: (sample: T) => number,
): Range | undefined {
  const each = ratios(over, under, by);
  const middle = median(each);
  return middle === undefined
    ? undefined
    : { min: Math.min(...each), median: middle, max: Math.max(...each) };
}

function ratios<T>(
  over: readonly T[] | undefined,
  under: readonly T[] | undefined,
  by: (sample: T) => number,
): readonly number[] {
  if (over === undefined || under === undefined) return [];
  return over.flatMap((sample, round) => {
    const other = under[round];
    return other === undefined ? [] : [by(sample) / by(other)];
  });
}

export function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const above = sorted[middle];
  const below = sorted[sorted.length - 1 - middle];
  return above === undefined || below === undefined ? undefined : (above + below) / 2;
}
