import type { Crew } from './crew.ts';
import { rangeOf, type Range } from './rounds.ts';
import { Worker } from './worker-process.ts';
import type { Together } from './worker.ts';
import type { Workload } from './workloads.ts';

/** A thousand runs at once, in a fresh process each time. */
export interface Concurrency {
  readonly wall: Range | undefined;
  readonly peakRss: Range | undefined;
}

const runs = 1_000;
const rounds = 5;

export async function measureConcurrency(
  names: readonly string[],
  floor: string,
  workload: Workload | Crew,
): Promise<ReadonlyMap<string, Concurrency>> {
  const samples = new Map(names.map((name) => [name, [] as Together[]]));
  for (let round = 0; round < rounds; round += 1) {
    for (let index = 0; index < names.length; index += 1) {
      const name = names[(index + round) % names.length];
      if (name === undefined) continue;
      const took = await inFreshProcess(name, workload, (worker) => worker.together(runs));
      samples.get(name)?.push(took);
    }
  }
  return new Map(
    names.map((name) => [
      name,
      {
        wall: rangeOf(samples.get(name), samples.get(floor), ({ wall }) => wall),
        peakRss: rangeOf(samples.get(name), samples.get(floor), ({ peakRss }) => peakRss),
      },
    ]),
  );
}

/** Bytes of heap that a run holds while its model thinks. */
export function heapPerRun(name: string, workload: Workload): Promise<number> {
  return inFreshProcess(name, workload, (worker) => worker.heap(2 * runs));
}

async function inFreshProcess<T>(
  name: string,
  workload: Workload | Crew,
  work: (worker: Worker) => Promise<T>,
): Promise<T> {
  const worker = await Worker.start(name);
  try {
    await worker.prepare(workload);
    return await work(worker);
  } finally {
    worker.stop();
  }
}
