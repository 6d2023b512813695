import { shown } from './check-options.ts';
import { UserError } from './errors.ts';
import type { Model, ModelRequest, ModelStreamEvent } from './model.ts';
import type { RunContext } from './run-context.ts';
import type { Tool, ToolContext } from './tool.ts';
import { wrapModel } from './wrap-model.ts';

/**
 * Wraps what a run does outside of itself: model calls and tool calls. The first in a list is the outermost; the
 * runner's come before the run's, and those before the agent's. It spans one step at most: whatever must hold across steps is data.
 */
export interface Middleware<in C = unknown> {
  readonly name: string;
  /**
   * Around every model call, those of routers and judges too; retries are inside, and say `restart`. Must yield what a
   * model yields: deltas, one response. The response counts when the iteration has ended: what comes after `yield*` is
   * done, and may still throw.
   */
  wrapModelCall?(
    request: ModelRequest,
    context: RunContext<C>,
    next: (request: ModelRequest) => AsyncIterable<ModelStreamEvent>,
  ): AsyncIterable<ModelStreamEvent>;
  /** Around every try of a tool, within its timeout. The result is what the tool would have returned. */
  wrapToolCall?(
    call: { readonly tool: Tool<C>; readonly input: unknown },
    context: ToolContext<C>,
    next: (input: unknown) => Promise<unknown>,
  ): Promise<unknown>;
}

/** @throws UserError for what wraps nothing. */
export function checkMiddleware(
  whose: string,
  middleware: readonly Middleware<never>[] = [],
): void {
  if (!Array.isArray(middleware)) {
    throw new UserError(`${whose} has ${shown(middleware)} as middleware. Write a list of them.`);
  }
  for (const one of middleware) {
    const wraps = ['wrapModelCall', 'wrapToolCall'].map((name) => typeof Object(one)[name]);
    const usable = wraps.every((kind) => kind === 'function' || kind === 'undefined');
    if (usable && wraps.includes('function')) continue;
    throw new UserError(
      `${whose} has ${shown(one)} among its middleware. Write { name: '…' } with the function wrapModelCall, wrapToolCall or both.`,
    );
  }
}

/** A model whose calls go through the middleware. */
export function withMiddleware<C>(
  model: Model,
  middleware: readonly Middleware<C>[],
  contextOf: () => RunContext<C>,
): Model {
  const wrapping = middleware.filter((one) => one.wrapModelCall !== undefined);
  if (wrapping.length === 0) return model;
  return wrapModel(model, (request, options) => {
    const context = contextOf();
    const ask = wrapping.reduceRight(
      (next, one) => (asked: ModelRequest) =>
        one.wrapModelCall === undefined
          ? next(asked)
          : mustStream(one.name, one.wrapModelCall(asked, context, next)),
      (asked: ModelRequest) => model.stream(asked, options),
    );
    return toTheirEnd(ask(request));
  });
}

// Plain JavaScript may forget its `return`; what was meant to wrap a call must not be passed by.
function mustStream(
  name: string,
  events: AsyncIterable<ModelStreamEvent>,
): AsyncIterable<ModelStreamEvent> {
  if (typeof Object(events)[Symbol.asyncIterator] === 'function') return events;
  throw new UserError(
    `wrapModelCall of middleware ${name} answered ${shown(events)}. Write wrapModelCall: (request, context, next) => next(request).`,
  );
}

// Whoever asks a model leaves at the response; what middleware does after its `yield*` belongs to the call.
async function* toTheirEnd(
  events: AsyncIterable<ModelStreamEvent>,
): AsyncGenerator<ModelStreamEvent, void> {
  let response: ModelStreamEvent | undefined;
  for await (const event of events) {
    if (response !== undefined) continue;
    if (event.type === 'response') response = event;
    else yield event;
  }
  if (response !== undefined) yield response;
}

/** Runs a tool through the middleware. */
export function callThrough<C>(
  middleware: readonly Middleware<C>[],
  call: { readonly tool: Tool<C>; readonly input: unknown },
  context: ToolContext<C>,
  run: (input: unknown) => unknown,
): unknown {
  const wrapping = middleware.filter((one) => one.wrapToolCall !== undefined);
  if (wrapping.length === 0) return run(call.input);
  const through = wrapping.reduceRight(
    (next, one) => async (input: unknown) =>
      one.wrapToolCall === undefined
        ? next(input)
        : one.wrapToolCall({ tool: call.tool, input }, context, next),
    async (input: unknown) => run(input),
  );
  return through(call.input);
}
