import {
  contractSecret,
  playReplies,
  type ModelHarness,
  type ReplyWire,
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
      return {
        ...playReplies(server, scenario, wires[target.wire]),
        model: target.model(server.url, { apiKey: contractSecret }),
        toolIds: (body) => (target.wire === 'chat' ? chatIds(body) : responsesIds(body)),
        read: readRequest,
        faults: (body) => requestFaults(body),
        option: { name: 'service_tier', value: 'flex' },
      };
    },
  };
}

const chatCannot: ModelHarness['cannot'] = {
  'reasoning-round-trip': 'messages of Chat Completions have no place for signed reasoning',
  'reasoning-with-tools': 'messages of Chat Completions have no place for signed reasoning',
};

/** Error bodies as OpenAI and Azure document them. */
const common: Pick<ReplyWire, 'streams' | 'keepAlive' | 'refusal'> = {
  streams: ({ body }) => JSON.parse(body).stream !== false,
  keepAlive: ': keep-alive\n\n',
  refusal({ reason, message }) {
    const [type, code] = errorOf(reason);
    return {
      body: { error: { message, type, param: null, code } },
      headers: { 'x-request-id': 'req_1' },
    };
  },
};

/** An error after the 200: an `error` event (`ResponseErrorEvent` of the SDK's types), or a chunk with `error`. */
const wires: { readonly [wire in Target['wire']]: ReplyWire } = {
  chat: {
    ...common,
    chunks: chatChunks,
    body: chatBody,
    failure({ reason, message }) {
      const [type, code] = errorOf(reason);
      return chunk({ error: { message, type, param: null, code } });
    },
  },
  responses: {
    ...common,
    chunks: responsesChunks,
    body: responsesBody,
    failure({ reason, message }) {
      const [type, code] = errorOf(reason);
      return event({ type: 'error', sequence_number: 9, code: code ?? type, message, param: null });
    },
  },
};

function errorOf(reason: string): readonly [type: string, code: string | null] {
  return errors[reason] ?? ['server_error', null];
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
