import type { ChatRequest, RunInput, RunResult } from './run-result.ts';

// How `super.processRequest(request)` finds the run it belongs to: the request carries it, through spreads too.

const binding: unique symbol = Symbol('agent-functions.run');

/** Runs a request as the run it belongs to. */
export type BoundRun = (request: ChatRequest) => Promise<RunResult<never>>;

/** The run that a request belongs to, if it came through `processRequest`. */
export function boundRunOf(input: RunInput): BoundRun | undefined {
  if (typeof input !== 'object' || !(binding in input)) return undefined;
  const run: unknown = input[binding];
  return typeof run === 'function' ? (request) => run(request) : undefined;
}

/** The request with the run it belongs to. */
export function bindRun(input: RunInput, run: BoundRun): ChatRequest {
  return Object.assign(toChatRequest(input), { [binding]: run });
}

function toChatRequest(input: RunInput): ChatRequest {
  if (typeof input === 'string') return { message: input };
  return isMessages(input) ? { messages: input } : { ...input };
}

function isMessages(input: RunInput): input is Extract<RunInput, readonly unknown[]> {
  return Array.isArray(input);
}
