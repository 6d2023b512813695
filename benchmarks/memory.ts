import { ratioOf } from './rounds.ts';
import { Worker } from './worker-process.ts';
import type { Together } from './worker.ts';
import { turns } from './workloads.ts';

/** W6: a thousand runs at once, each in front of a model that thinks for 50 ms, in a fresh process each time. */
export interface Concurrency {
  readonly wall: number | undefined;
  readonly peakRss: number | undefined;
  /** Bytes a run in flight. */
  readonly heapPerRun: number;
}

const runs = 1_000;
const rounds = 5;
const thinking = turns({ delayMs: 50 });

export async function measureConcurrency(
  names: readonly string[],
  floor: string,
): Promise<ReadonlyMap<string, Concurrency>> {
  const samples = new Map(names.map((name) => [name, [] as Together[]]));
  const heap = new Map<string, number>();
  for (let round = 0; round < rounds; round += 1) {
    for (let index = 0; index < names.length; index += 1) {
      const name = names[(index + round) % names.length];
      if (name === undefined) continue;
      samples.get(name)?.push(await inFreshProcess(name, (worker) => worker.together(runs)));
    }
  }
  for (const name of names) {
    heap.set(name, await inFreshProcess(name, (worker) => worker.heap(2 * runs)));
  }
  return new Map(
    names.map((name) => [
      name,
      {
        wall: ratioOf(samples.get(name), samples.get(floor), ({ wall }) => wall),
        peakRss: ratioOf(samples.get(name), samples.get(floor), ({ peakRss }) => peakRss),
        heapPerRun: heap.get(name) ?? Number.NaN,
      },
    ]),
  );
}

async function inFreshProcess<T>(name: string, work: (worker: Worker) => Promise<T>): Promise<T> {
  const worker = await Worker.start(name);
  try {
    await worker.prepare(thinking);
    return await work(worker);
  } finally {
    worker.stop();
  }
}
