import { fork } from 'node:child_process';
import { join } from 'node:path';
import { measure, ratio } from './rounds.ts';
import { Worker } from './worker-process.ts';
import { turns, type Workload } from './workloads.ts';

/** N1: core with `providers-openai` over HTTP, to the raw `openai` SDK used the same way. */
export interface Wire {
  readonly name: string;
  readonly wall: number | undefined;
  readonly processor: number | undefined;
}

const workloads: readonly (readonly [name: string, workload: Workload])[] = [
  ['turn', turns({ tools: 1 })],
  ['10-turn loop', turns({ turns: 10, tools: 1 })],
  ['2,000 deltas', { kind: 'deltas', count: 2_000 }],
  ['first delta', { kind: 'deltas', count: 20, first: true }],
];

export async function measureWire(): Promise<readonly Wire[]> {
  const server = fork(join(import.meta.dirname, 'wire-server.ts'));
  const port = await new Promise((resolve) => {
    server.once('message', resolve);
  });
  const env = { BENCH_WIRE_PORT: String(port) };
  const workers = [
    await Worker.start('sdk-floor', env),
    await Worker.start('sdk-ours', env),
  ] as const;
  const results: Wire[] = [];
  try {
    for (const [name, workload] of workloads) {
      const rounds = await measure(workers, workload, {
        batchMs: 150,
        warmUpMs: 1_500,
        rounds: 15,
      });
      const first = workload.kind === 'deltas' && workload.first === true;
      results.push({
        name,
        wall: ratio(rounds, 'sdk-ours', 'sdk-floor', 'wall'),
        // The first piece is a matter of time alone.
        processor: first ? undefined : ratio(rounds, 'sdk-ours', 'sdk-floor'),
      });
    }
  } finally {
    for (const worker of workers) worker.stop();
    server.disconnect();
  }
  return results;
}
