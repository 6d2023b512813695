import type { Span } from '../../packages/core/dist/index.js';
import type { Adapter } from '../workloads.ts';
import { prepare } from './ours.ts';

const span: Span = { set: () => undefined, child: () => span, end: () => undefined };

/** Ours with a tracer that nobody listens to. */
export const adapter: Adapter = {
  prepare: (workload) => prepare(workload, { start: () => span }),
};
