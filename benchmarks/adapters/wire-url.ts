import type { Workload } from '../workloads.ts';

/** Where the server of `wire-server.ts` answers a workload. */
export function wireUrl(workload: Workload): string {
  const port = process.env['BENCH_WIRE_PORT'] ?? '';
  const path = pathOf(workload);
  return `http://127.0.0.1:${port}/${path}/v1`;
}

function pathOf(workload: Workload): string {
  if (workload.kind === 'turns') return workload.turns === 1 ? 'turn' : 'loop';
  return workload.first === true ? 'first' : 'deltas';
}
