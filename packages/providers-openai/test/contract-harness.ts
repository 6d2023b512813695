import type { ServerResponse } from 'node:http';
import {
  contractSecret,
  playAnswer,
  type ModelHarness,
  type ServerAnswer,
  type ServerFailure,
  type ServerReply,
} from '@agent-functions/core/testing';
import { requestFaults } from './request-faults.ts';
import { readRequest } from './sent-request.ts';
import type { Target } from './targets.ts';
import { chunk, delta, done, event } from './wire-events.ts';
import { wireServer } from './wire-server.ts';

/** Plays the replies of the model contract on one wire, from a server on this machine. */
export function harness(target: Target): ModelHarness {
  return {
    async make(scenario) {
      const server = await wireServer();
      let asked = 0;
      let hangUp: () => void = () => undefined;
      const hungUp = new Promise<void>((resolve) => (hangUp = resolve));
      server.play((response, request) => {
        void request.closed.then(hangUp);
        const reply = scenario.replies[Math.min(asked++, scenario.replies.length - 1)];
        return reply === undefined ? undefined : play(target.wire, reply, request.body, response);
      });
      let disposed: Promise<void> | undefined;
      return {
        model: target.model(server.url, { apiKey: contractSecret }),
        requests: () => server.received.map(({ body }): unknown => JSON.parse(body)),
        hungUp,
        toolIds: (body) => (target.wire === 'chat' ? chatIds(body) : responsesIds(body)),
        read: readRequest,
        faults: (body) => requestFaults(body),
        dispose: () => (disposed ??= server.close()),
      };
    },
  };
}

async function play(
  wire: Target['wire'],
  reply: ServerReply,
  request: string,
  response: ServerResponse,
): Promise<void> {
  if (reply.page === true) return page(reply, response);
  if (reply.type === 'failure') return fail(reply, response);
  if (JSON.parse(request).stream === false) {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(wire === 'chat' ? chatBody(reply) : responsesBody(reply)));
    return;
  }
  if (reply.pause?.afterChunks === 0) await reply.pause.until;
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.flushHeaders();
  await playAnswer(
    reply,
    wire === 'chat' ? chatChunks(reply) : responsesChunks(reply),
    {
      write: (bytes) => new Promise((resolve) => response.write(bytes, resolve)),
      end: () => void response.end(),
      destroy: () => void response.socket?.destroy(),
    },
    { keepAlive: ': keep-alive\n\n', failure: (failure) => streamFailure(wire, failure) },
  );
}

/** An error after the 200: an `error` event (`ResponseErrorEvent` of the SDK's types), or a chunk with `error`. */
function streamFailure(
  wire: Target['wire'],
  { reason, message }: NonNullable<ServerAnswer['failure']>,
): string {
  const [type, code] = errors[reason] ?? ['server_error', null];
  return wire === 'chat'
    ? chunk({ error: { message, type, param: null, code } })
    : event({ type: 'error', sequence_number: 9, code: code ?? type, message, param: null });
}

function page(reply: ServerReply, response: ServerResponse): void {
  const status = reply.type === 'failure' ? reply.status : 200;
  response.writeHead(status, { 'content-type': 'text/html' });
  response.end(`<html><body><h1>${status}</h1></body></html>`);
}

/** Error bodies as OpenAI and Azure document them. */
function fail(reply: ServerFailure, response: ServerResponse): void {
  const [type, code] = errors[reply.reason] ?? ['server_error', null];
  const wait = reply.retryAfterSeconds ?? reply.retryAfterDate;
  if (wait !== undefined) response.setHeader('retry-after', wait);
  response.writeHead(reply.status, { 'content-type': 'application/json', 'x-request-id': 'req_1' });
  response.end(JSON.stringify({ error: { message: reply.message, type, param: null, code } }));
}

const errors: { readonly [reason: string]: readonly [type: string, code: string | null] } = {
  authentication: ['invalid_request_error', 'invalid_api_key'],
  permission: ['invalid_request_error', null],
  'invalid-request': ['invalid_request_error', 'unsupported_value'],
  'context-length': ['invalid_request_error', 'context_length_exceeded'],
  'content-filter': ['invalid_request_error', 'content_filter'],
  'rate-limit': ['requests', 'rate_limit_exceeded'],
  quota: ['insufficient_quota', 'insufficient_quota'],
  overloaded: ['server_error', null],
};

function halves(text: string): [string, string] {
  const middle = Math.ceil(text.length / 2);
  return [text.slice(0, middle), text.slice(middle)];
}

// Chat Completions

function chatChunks(reply: ServerAnswer): string[] {
  const surprise = reply.unknownEvents === true ? [chunk({ object: 'surprise', text: 'no' })] : [];
  const chunks = (reply.text ?? []).flatMap((content) => [
    delta({ content, surprise: 'no' }),
    ...surprise,
  ]);
  if (reply.refusal !== undefined) {
    for (const refusal of halves(reply.refusal)) chunks.push(delta({ refusal }));
  }
  for (const [index, { id, toolName, input }] of (reply.calls ?? []).entries()) {
    const [first, second] = halves(input);
    const named = { index, id, type: 'function', function: { name: toolName, arguments: first } };
    chunks.push(delta({ tool_calls: [named] }));
    chunks.push(delta({ tool_calls: [{ index, function: { arguments: second } }] }));
  }
  chunks.push(delta({}, chatFinish[reply.finish]));
  chunks.push(chunk({ id: 'chatcmpl-1', choices: [], usage: chatUsage(reply) }));
  chunks.push(done);
  return chunks;
}

function chatBody(reply: ServerAnswer): object {
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: reply.text?.join('') ?? null,
          refusal: reply.refusal ?? null,
          tool_calls: reply.calls?.map(({ id, toolName, input }) => ({
            id,
            type: 'function',
            function: { name: toolName, arguments: input },
          })),
        },
        finish_reason: chatFinish[reply.finish],
      },
    ],
    usage: chatUsage(reply),
  };
}

const chatFinish = {
  stop: 'stop',
  'tool-calls': 'tool_calls',
  length: 'length',
  'content-filter': 'content_filter',
  other: 'surprise',
} as const;

function chatUsage({ usage }: ServerAnswer): object {
  const { inputTokens = 1, outputTokens = 1, cachedInputTokens, reasoningTokens } = usage ?? {};
  return {
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
    prompt_tokens_details: { cached_tokens: cachedInputTokens },
    completion_tokens_details: { reasoning_tokens: reasoningTokens },
  };
}

// Responses

function items(reply: ServerAnswer): { readonly [key: string]: unknown }[] {
  const content = [
    ...(reply.text === undefined
      ? []
      : [{ type: 'output_text', text: reply.text.join(''), annotations: [] }]),
    ...(reply.refusal === undefined ? [] : [{ type: 'refusal', refusal: reply.refusal }]),
  ];
  return [
    ...(content.length === 0 ? [] : [{ type: 'message', id: 'msg_1', role: 'assistant', content }]),
    ...(reply.calls ?? []).map(({ id, toolName, input }) => ({
      type: 'function_call',
      call_id: id,
      name: toolName,
      arguments: input,
    })),
  ];
}

function responsesBody(reply: ServerAnswer): { readonly [key: string]: unknown } {
  const { usage, finish } = reply;
  const { inputTokens = 1, outputTokens = 1, cachedInputTokens, reasoningTokens } = usage ?? {};
  const cut = finish === 'length' ? 'max_output_tokens' : 'content_filter';
  const whole = finish === 'stop' || finish === 'tool-calls';
  return {
    id: 'resp_1',
    object: 'response',
    status: whole ? 'completed' : 'incomplete',
    incomplete_details: whole ? null : { reason: cut },
    output: items(reply),
    usage: {
      input_tokens: inputTokens,
      output_tokens: outputTokens,
      total_tokens: inputTokens + outputTokens,
      input_tokens_details: { cached_tokens: cachedInputTokens },
      output_tokens_details: { reasoning_tokens: reasoningTokens },
    },
  };
}

function responsesChunks(reply: ServerAnswer): string[] {
  const chunks: string[] = [];
  let before = event({ type: 'response.created', response: { id: 'resp_1' } });
  const push = (text: string): void => {
    chunks.push(before + text);
    before = reply.unknownEvents === true ? event({ type: 'response.surprise', delta: 'no' }) : '';
  };
  for (const [output_index, item] of items(reply).entries()) {
    before += event({
      type: 'response.output_item.added',
      output_index,
      item: { ...item, content: [], arguments: '' },
    });
    if (item['type'] === 'message') {
      for (const delta of reply.text ?? []) {
        push(event({ type: 'response.output_text.delta', output_index, delta }));
      }
      if (reply.refusal !== undefined) {
        push(event({ type: 'response.refusal.delta', output_index, delta: reply.refusal }));
      }
    } else {
      for (const delta of halves(String(item['arguments']))) {
        push(event({ type: 'response.function_call_arguments.delta', output_index, delta }));
      }
    }
    push(event({ type: 'response.output_item.done', output_index, item }));
  }
  const response = responsesBody(reply);
  push(event({ type: `response.${String(response['status'])}`, response }));
  return chunks;
}

// What was sent

interface ChatMessage {
  readonly role: string;
  readonly content?: string;
  readonly tool_call_id?: string;
  readonly tool_calls?: readonly { readonly id: string; readonly function: { name: string } }[];
}

function chatIds(body: unknown) {
  const { messages } = body as { readonly messages: readonly ChatMessage[] };
  return {
    calls: messages.flatMap(({ tool_calls = [] }) =>
      tool_calls.map((call) => ({ id: call.id, toolName: call.function.name })),
    ),
    results: messages.flatMap(({ tool_call_id: id, content = '' }) =>
      id === undefined ? [] : [{ id, text: content }],
    ),
  };
}

interface InputItem {
  readonly type?: string;
  readonly call_id?: string;
  readonly name?: string;
  readonly output?: string;
}

function responsesIds(body: unknown) {
  const { input } = body as { readonly input: readonly InputItem[] };
  const of = (type: string): readonly InputItem[] => input.filter((item) => item.type === type);
  return {
    calls: of('function_call').map(({ call_id: id = '', name: toolName = '' }) => ({
      id,
      toolName,
    })),
    results: of('function_call_output').map(({ call_id: id = '', output: text = '' }) => ({
      id,
      text,
    })),
  };
}
