import type {
  Message,
  Model,
  ModelRequest,
  ModelResponse,
  ModelStreamEvent,
  ToolSpec,
} from '@agent-functions/core';

export function user(text: string, id = 'm1'): Message {
  return { id, runId: 'run_1', role: 'user', parts: [{ type: 'text', text }] };
}

export function asking(request: Partial<ModelRequest> = {}): ModelRequest {
  return { messages: [user('Hello')], tools: [], settings: {}, ...request };
}

export const weather: ToolSpec = Object.freeze({
  name: 'weather',
  description: 'The weather in a city',
  inputSchema: {
    type: 'object',
    properties: { city: { type: 'string' } },
    required: ['city'],
  },
  strict: true,
});

/** Everything that a call yields. */
export async function listen(
  model: Model,
  request: ModelRequest = asking(),
  signal: AbortSignal = new AbortController().signal,
): Promise<ModelStreamEvent[]> {
  const events: ModelStreamEvent[] = [];
  for await (const event of model.stream(request, { signal })) events.push(event);
  return events;
}

/** The response of a call. */
export async function respond(model: Model, request?: ModelRequest): Promise<ModelResponse> {
  const event = (await listen(model, request)).at(-1);
  if (event?.type !== 'response') throw new Error('no response');
  return event.response;
}

/** What a call throws. */
export async function failure(call: Promise<unknown>): Promise<unknown> {
  try {
    await call;
  } catch (error) {
    return error;
  }
  throw new Error('it did not fail');
}

export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
}

export function deferred<T = void>(): Deferred<T> {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((settle) => (resolve = settle));
  return { promise, resolve };
}
