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
import { chatBody, chatChunks } from './chat-answer.ts';
import { responsesBody, responsesChunks } from './responses-answer.ts';
import { chunk, event } from './wire-events.ts';
import { wireServer } from './wire-server.ts';

/** Plays the replies of the model contract on one wire, from a server on this machine. */
export function harness(target: Target): ModelHarness {
  return {
    cannot: target.wire === 'chat' ? chatCannot : {},
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
        option: { name: 'service_tier', value: 'flex' },
        dispose: () => (disposed ??= server.close()),
      };
    },
  };
}

const chatCannot: ModelHarness['cannot'] = {
  'reasoning-round-trip': 'messages of Chat Completions have no place for signed reasoning',
  'reasoning-with-tools': 'messages of Chat Completions have no place for signed reasoning',
};

async function play(
  wire: Target['wire'],
  reply: ServerReply,
  request: string,
  response: ServerResponse,
): Promise<void> {
  if (reply.page === true) return page(reply, response);
  if (reply.type === 'failure') return fail(reply, response);
  if (JSON.parse(request).stream === false) {
    if (reply.pause?.afterChunks === 0) await reply.pause.until;
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
