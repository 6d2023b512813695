import type { Json } from '../json-value.ts';
import type { Message } from '../message.ts';
import type { Model, ModelRequest, ModelResponse, ModelStreamEvent, ToolSpec } from '../model.ts';
import { equal, ok } from './assert.ts';
import type { ModelScenario } from './model-scenario.ts';

/** A model of its own for one test, wired to a local server that plays the scenario. Its key is `contractSecret`. */
export interface ModelUnderTest {
  readonly model: Model;
  /** The bodies that the server got so far, parsed. */
  requests(): readonly unknown[];
  /** Resolves when the server sees that its client hung up. */
  readonly hungUp?: Promise<unknown> | undefined;
  /** The ids of tool calls and results in a request's body, in its order; absent where the wire has none. */
  toolIds?(body: unknown): {
    readonly calls: readonly { readonly id: string; readonly toolName: string }[];
    readonly results: readonly { readonly id: string; readonly text: string }[];
  };
  /** What a request's body says, in no vendor's words. */
  read(body: unknown): SentRequest;
  /**
   * What is wrong with a request's body by the vendor's documentation: a field that must be there, roles that may not
   * follow each other, results without their call. Asked of every request of every case.
   */
  faults(body: unknown): readonly string[];
  /** A field that `providerOptions` of this vendor puts into the body as it is. Default: `x_contract: 'yes'`. */
  readonly option?: { readonly name: string; readonly value: Json } | undefined;
  /** Closes model and server; may be called twice. */
  dispose(): Promise<void>;
}

/** A request as the server understands it. What the wire has no word for is absent. */
export interface SentRequest {
  /** The text that stands above the conversation. */
  readonly instructions: string;
  /** In the request's order; what the wire puts into one message is one. `text` holds results of tools, too. */
  readonly messages: readonly {
    readonly role: 'system' | 'user' | 'assistant' | 'tool';
    readonly text: string;
  }[];
  /** Images and files, wherever they stand: `data` is base64. */
  readonly files: readonly {
    readonly mediaType?: string | undefined;
    readonly data?: string | undefined;
    readonly url?: string | undefined;
  }[];
  readonly tools: readonly string[];
  readonly toolChoice?: ModelRequest['settings']['toolChoice'];
  readonly parallelToolCalls?: boolean | undefined;
  readonly temperature?: number | undefined;
  readonly topP?: number | undefined;
  readonly maxTokens?: number | undefined;
  readonly stop?: readonly string[] | undefined;
  readonly seed?: number | undefined;
  /** The JSON Schema of the answer. */
  readonly output?: unknown;
  /** Whether the answer is asked for as a stream. */
  readonly stream: boolean;
}

/** What a test of the contract gets: the model under test and ways to ask it. */
export interface ModelFixture extends ModelUnderTest {
  /** The last request, read. */
  sent(): SentRequest;
  /** Asks and checks what holds for every answer: deltas, then exactly one response that says the same, and nothing after. */
  ask(request?: Partial<ModelRequest>): Promise<Answer>;
  /** Asks and expects a failure, checked for what holds for every failure. */
  fail(request?: Partial<ModelRequest>, signal?: AbortSignal): Promise<Failure>;
}

export interface Answer {
  readonly events: readonly ModelStreamEvent[];
  readonly response: ModelResponse;
  readonly text: string;
}

export interface Failure {
  readonly events: readonly ModelStreamEvent[];
  readonly error: unknown;
}

/** Registers one test of a model. */
export type ModelCase = (
  title: string,
  scenario: ModelScenario,
  body: (fixture: ModelFixture) => Promise<void>,
) => void;

/** The tool of the contract. */
export const weatherTool: ToolSpec = {
  name: 'get_weather',
  description: 'The weather of a city, now.',
  inputSchema: {
    type: 'object',
    properties: { city: { type: 'string' } },
    required: ['city'],
    additionalProperties: false,
  },
  strict: true,
};

/** One message of a user. */
export function userMessage(text: string, id: string): Message {
  return { id, runId: 'run-1', role: 'user', parts: [{ type: 'text', text }] };
}

/** The request of a test: one question of a user, unless it says otherwise. */
export function contractRequest(request: Partial<ModelRequest> = {}): ModelRequest {
  return {
    messages: [userMessage('How is the weather?', 'm1')],
    tools: [],
    settings: {},
    ...request,
  };
}

/** Makes the fixture of one test. */
export function modelFixture(made: ModelUnderTest): ModelFixture {
  const { model } = made;
  return {
    ...made,
    model,
    requests: () => made.requests(),
    sent: () => made.read(made.requests().at(-1)),
    async ask(request) {
      const { signal } = new AbortController();
      const events: ModelStreamEvent[] = [];
      for await (const event of model.stream(contractRequest(request), { signal })) {
        events.push(event);
      }
      return checkAnswer(events);
    },
    async fail(request, signal = new AbortController().signal) {
      const events: ModelStreamEvent[] = [];
      try {
        for await (const event of model.stream(contractRequest(request), { signal })) {
          events.push(event);
        }
      } catch (error) {
        ok(
          events.every(({ type }) => type !== 'response'),
          'a call that fails has no response',
        );
        return { events, error };
      }
      throw new Error(`The call did not fail. Its events: ${JSON.stringify(events)}`);
    },
  };
}

function checkAnswer(events: readonly ModelStreamEvent[]): Answer {
  const last = events.at(-1);
  ok(last?.type === 'response', 'the last event is the response');
  equal(events.filter(({ type }) => type === 'response').length, 1, 'one response');
  const { response } = last;

  let text = '';
  const inputs: string[] = [];
  for (const event of events) {
    if (event.type === 'text-delta') text += event.delta;
    if (event.type === 'tool-input-delta') {
      inputs[event.index] = (inputs[event.index] ?? '') + event.delta;
      const call = callsOf(response)[event.index];
      equal(event.toolName, call?.toolName, `the tool of a delta with index ${event.index}`);
    }
  }
  const said = response.parts.map((part) => (part.type === 'text' ? part.text : '')).join('');
  if (text !== '') equal(text, said, 'the text deltas are the text of the response');
  for (const [index, call] of callsOf(response).entries()) {
    const input = inputs[index];
    if (input === undefined) continue;
    equal(parsed(input), call.input, `the input deltas of call ${index} are its input`);
  }
  const { usage } = response;
  for (const tokens of [usage.inputTokens, usage.outputTokens, usage.totalTokens]) {
    ok(Number.isInteger(tokens) && tokens >= 0, `usage counts tokens: ${JSON.stringify(usage)}`);
  }
  equal(JSON.parse(JSON.stringify(response)), response, 'the response is JSON');
  return { events, response, text: said };
}

/** The tool calls of a response, in order. */
export function callsOf(
  response: ModelResponse,
): Extract<ModelResponse['parts'][number], { readonly type: 'tool-call' }>[] {
  return response.parts.filter((part) => part.type === 'tool-call');
}

/** The codes of the warnings of a call. */
export function warnsOf(events: readonly ModelStreamEvent[]): readonly string[] {
  return events.flatMap((event) => (event.type === 'warning' ? [event.code] : []));
}

/** A setting is in the request, or a warning names it: never neither. */
export function saidOrWarned(
  events: readonly ModelStreamEvent[],
  setting: string,
  sent: unknown,
  expected: unknown,
): void {
  const warned = events.some(
    (event) =>
      event.type === 'warning' &&
      event.code === 'unsupported-setting' &&
      event.message.includes(setting),
  );
  if (sent === undefined)
    ok(warned, `${setting} is sent, or an unsupported-setting warning names it`);
  else equal(sent, expected, `${setting} as it is sent`);
}

/** JSON, or the text where it is none; no text at all stands for no arguments. */
function parsed(text: string): unknown {
  if (text === '') return {};
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
