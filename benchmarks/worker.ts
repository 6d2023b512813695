import { answerText, verify, type Adapter, type Workload } from './workloads.ts';

/**
 * One adapter in a process of its own: does what the parent asks for, one thing at a time.
 * `node --expose-gc worker.ts floor`
 */
export type Ask =
  | { readonly type: 'prepare'; readonly workload: Workload }
  | { readonly type: 'batch'; readonly times: number }
  | { readonly type: 'together'; readonly runs: number };

/** Milliseconds: of the clock, and of the processor for the whole process, its collector included. */
export interface Took {
  readonly wall: number;
  readonly processor: number;
}

export interface Together extends Took {
  /** Bytes of heap for each run while all of them wait for their model. */
  readonly heapPerRun: number;
  /** The most memory that the process had, in bytes. */
  readonly peakRss: number;
}

const [name = ''] = process.argv.slice(2);
const { adapter }: { readonly adapter: Adapter } = await import(`./adapters/${name}.ts`);
let once: () => Promise<string> = () => Promise.reject(new Error('Nothing is prepared.'));

async function prepare(workload: Workload): Promise<Took> {
  once = adapter.prepare(workload);
  await verify(workload, once);
  return { wall: 0, processor: 0 };
}

async function batch(times: number): Promise<Took> {
  const stop = clock();
  for (let index = 0; index < times; index += 1) await once();
  return stop();
}

async function together(runs: number): Promise<Together> {
  const { gc } = globalThis;
  if (gc === undefined) throw new Error('Run with --expose-gc.');
  // What is compiled and cached on the way is no run's own memory.
  for (let index = 0; index < 20; index += 1) await Promise.all([once(), once()]);
  gc();
  const before = process.memoryUsage().heapUsed;
  const stop = clock();
  const waiting = Array.from({ length: runs }, () => once());
  await new Promise((resolve) => {
    setTimeout(resolve, 0);
  });
  gc();
  const heapPerRun = (process.memoryUsage().heapUsed - before) / runs;
  const answers = await Promise.all(waiting);
  const took = stop();
  if (answers.some((answer) => answer !== answerText)) throw new Error('A run gave no answer.');
  return { ...took, heapPerRun, peakRss: process.resourceUsage().maxRSS * 1024 };
}

function clock(): () => Took {
  const start = performance.now();
  const used = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(used);
    return { wall: performance.now() - start, processor: (user + system) / 1_000 };
  };
}

process.on('message', (ask: Ask) => {
  const work =
    ask.type === 'prepare'
      ? prepare(ask.workload)
      : ask.type === 'batch'
        ? batch(ask.times)
        : together(ask.runs);
  work.then(
    (took) => process.send?.(took),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
process.on('disconnect', () => process.exit());
process.send?.('ready');
