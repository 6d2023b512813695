import { modelCallsOf, verifyCrew, type Crew, type CrewAdapter } from './crew.ts';
import { answerText, seen, verify, type Adapter, type Workload } from './workloads.ts';

/**
 * One adapter in a process of its own: does what the parent asks for, one thing at a time.
 * `node --expose-gc worker.ts floor`
 */
export type Ask =
  | { readonly type: 'prepare'; readonly workload: Workload | Crew }
  | { readonly type: 'batch'; readonly times: number }
  | { readonly type: 'together'; readonly runs: number }
  | { readonly type: 'heap'; readonly runs: number };

/** Milliseconds: of the clock, and of the processor for the whole process, its collector included. */
export interface Took {
  readonly wall: number;
  readonly processor: number;
}

export interface Together extends Took {
  /** The most memory that the process had, in bytes. */
  readonly peakRss: number;
}

const [name = ''] = process.argv.slice(2);
const loaded: { readonly adapter: Adapter } = await import(`./adapters/${name}.ts`);
let once: () => Promise<string> = () => Promise.reject(new Error('Nothing is prepared.'));
let untilFirst = false;
/** Model calls of one run, where it is counted for many at once. */
let modelCalls = 1;

async function prepare(workload: Workload | Crew): Promise<Took> {
  if (workload.kind === 'handoffs' || workload.kind === 'coordinator') {
    const { adapter }: { readonly adapter: CrewAdapter } = await import(`./crews/${name}.ts`);
    once = adapter.prepare(workload);
    untilFirst = false;
    modelCalls = modelCallsOf(workload);
    await verifyCrew(workload, once);
    return { wall: 0, processor: 0 };
  }
  once = loaded.adapter.prepare(workload);
  modelCalls = workload.kind === 'turns' ? workload.turns : 1;
  untilFirst = workload.kind === 'deltas' && workload.first === true;
  await verify(workload, once);
  return { wall: 0, processor: 0 };
}

async function batch(times: number): Promise<Took> {
  const stop = clock();
  let waited = 0;
  for (let index = 0; index < times; index += 1) {
    const start = untilFirst ? performance.now() : 0;
    await once();
    if (untilFirst) waited += seen.firstPieceAt - start;
  }
  const took = stop();
  return untilFirst ? { ...took, wall: waited } : took;
}

/** Many runs at once, in a process that has done little else. */
async function together(runs: number): Promise<Together> {
  seen.reset();
  const stop = clock();
  const answers = await Promise.all(Array.from({ length: runs }, () => once()));
  const took = stop();
  if (answers.some((answer) => answer !== answerText)) throw new Error('A run gave no answer.');
  if (seen.modelCalls !== runs * modelCalls)
    throw new Error(`${seen.modelCalls} model calls in ${runs} runs.`);
  return { ...took, peakRss: process.resourceUsage().maxRSS * 1024 };
}

/** Bytes of heap for each run while all of them wait for their model. */
async function heap(runs: number): Promise<number> {
  const { gc } = globalThis;
  if (gc === undefined) throw new Error('Run with --expose-gc.');
  // What is compiled and cached on the way is no run's own memory.
  await Promise.all(Array.from({ length: runs }, () => once()));
  gc();
  const before = process.memoryUsage().heapUsed;
  const waiting = Array.from({ length: runs }, () => once());
  await new Promise((resolve) => {
    setTimeout(resolve, 0);
  });
  gc();
  const taken = process.memoryUsage().heapUsed - before;
  await Promise.all(waiting);
  return taken / runs;
}

function clock(): () => Took {
  const start = performance.now();
  const used = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(used);
    return { wall: performance.now() - start, processor: (user + system) / 1_000 };
  };
}

function work(ask: Ask): Promise<Took | Together | number> {
  switch (ask.type) {
    case 'prepare':
      return prepare(ask.workload);
    case 'batch':
      return batch(ask.times);
    case 'together':
      return together(ask.runs);
    case 'heap':
      return heap(ask.runs);
    default:
      return ask satisfies never;
  }
}

process.on('message', (ask: Ask) => {
  work(ask).then(
    (answer) => process.send?.(answer),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
process.on('disconnect', () => process.exit());
process.send?.('ready');
