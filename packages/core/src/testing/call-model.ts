import type { Message } from '../message.ts';
import type { Model, ModelRequest, ModelResponse, ModelStreamEvent, ToolSpec } from '../model.ts';

// Asks a model without an agent: for the tests of a provider.

/** A message of a user, with one text. */
export function userMessage(text: string, id = 'm1'): Message {
  return { id, runId: 'run_1', role: 'user', parts: [{ type: 'text', text }] };
}

/** A request that says "Hello", with what a test wants otherwise. */
export function modelRequest(request: Partial<ModelRequest> = {}): ModelRequest {
  return { messages: [userMessage('Hello')], tools: [], settings: {}, ...request };
}

/** A tool as a model sees it, for requests. */
export const weatherTool: ToolSpec = Object.freeze({
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
export async function modelEvents(
  model: Model,
  request: ModelRequest = modelRequest(),
  signal: AbortSignal = new AbortController().signal,
): Promise<ModelStreamEvent[]> {
  const events: ModelStreamEvent[] = [];
  for await (const event of model.stream(request, { signal })) events.push(event);
  return events;
}

/** The response of a call. */
export async function modelResponse(model: Model, request?: ModelRequest): Promise<ModelResponse> {
  const last = (await modelEvents(model, request)).at(-1);
  if (last?.type !== 'response') throw new Error('The call ended without a response.');
  return last.response;
}
