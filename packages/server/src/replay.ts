import type { RunHeader } from '@agent-functions/core';
import type { Served } from './scope.ts';
import type { Turn } from './turn.ts';

/**
 * The run that a repeated request stands for, after the check that it is the same request.
 *
 * @throws IdempotencyMismatchError for another body.
 */
export async function recordedBefore(
  { agent, runner }: Served,
  { input, options }: Turn,
): Promise<RunHeader> {
  if (!agent.overridesProcessRequest) return runner.start(input, options);
  // What wraps a whole run cannot be begun without being run: it joins, and nobody reads it here.
  const stream = runner.stream(input, options);
  stream.detach();
  await stream[Symbol.asyncIterator]().return?.();
  stream.result.catch(() => undefined);
  return stream.started;
}
