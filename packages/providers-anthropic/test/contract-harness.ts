import {
  contractSecret,
  playReplies,
  type ModelHarness,
  type ReplyWire,
  type ServerAnswer,
} from '@agent-functions/core/testing';
import type { Anthropic } from '@anthropic-ai/sdk';
import { anthropic } from '../src/index.ts';
import { requestFaults } from './request-faults.ts';
import { readRequest } from './sent-request.ts';
import {
  block,
  call,
  comment,
  errorEvent,
  event,
  message,
  ping,
  start,
  startUsage,
  stop,
  text,
} from './wire-events.ts';
import { wireServer } from './wire-server.ts';

/** Plays the replies of the model contract on the Messages API, from a server on this machine. */
export const harness = (model: string): ModelHarness => ({
  cannot: {
    'filtered-answer': 'a filtered answer ends as a refusal, which the case refusal plays',
  },
  async make(scenario) {
    const server = await wireServer();
    return {
      ...playReplies(server, scenario, wire),
      model: anthropic(model, { baseURL: server.url, apiKey: contractSecret }),
      toolIds,
      read: readRequest,
      faults: requestFaults,
      option: { name: 'service_tier', value: 'standard_only' },
    };
  },
});

/** Error bodies as https://platform.claude.com/docs/en/api/errors has them. */
const wire: ReplyWire = {
  streams: ({ body }) => JSON.parse(body).stream !== false,
  chunks,
  body: whole,
  keepAlive: comment + ping,
  failure: ({ reason, message: said }) => errorEvent(errors[reason]?.type ?? 'api_error', said),
  refusal({ reason, message: said }) {
    const { type, words = '', code } = errors[reason] ?? { type: 'api_error' };
    const details = code === undefined ? null : { error_code: code };
    const error = { type, message: `${words}${said}`, details };
    return {
      body: { type: 'error', error, request_id: 'req_1' },
      headers: { 'request-id': 'req_1' },
    };
  },
};

const errors: {
  readonly [reason: string]: {
    readonly type: Anthropic.ErrorType | 'request_too_large';
    readonly words?: string;
    readonly code?: string;
  };
} = {
  authentication: { type: 'authentication_error' },
  permission: { type: 'permission_error' },
  'invalid-request': { type: 'invalid_request_error' },
  'context-length': {
    type: 'invalid_request_error',
    words: 'prompt is too long: 1000001 tokens > 1000000 maximum. ',
  },
  'content-filter': {
    type: 'invalid_request_error',
    words: 'Output blocked by content filtering policy. ',
  },
  'rate-limit': { type: 'rate_limit_error' },
  quota: { type: 'rate_limit_error', code: 'enforced_spend_limit_reached' },
  overloaded: { type: 'overloaded_error' },
};

function halves(value: string): [string, string] {
  const middle = Math.ceil(value.length / 2);
  return [value.slice(0, middle), value.slice(middle)];
}

const reasons: { readonly [finish in ServerAnswer['finish']]: string } = {
  stop: 'end_turn',
  'tool-calls': 'tool_use',
  length: 'max_tokens',
  'content-filter': 'refusal',
  other: 'surprise',
};

/** The last two events: a reason that no version has yet goes through the SDK as any other. */
function ending(reply: ServerAnswer): string[] {
  const { refusal, finish, usage } = reply;
  const counts: Anthropic.MessageDeltaUsage = {
    ...inputOf(reply),
    output_tokens: usage?.outputTokens ?? 1,
    output_tokens_details:
      usage?.reasoningTokens === undefined ? null : { thinking_tokens: usage.reasoningTokens },
    server_tool_use: null,
  };
  const events =
    refusal === undefined
      ? stop('end_turn', {}, counts)
      : stop('refusal', { stop_details: refused(refusal) }, counts);
  return events.map((one) => {
    const ended = one.replace('"end_turn"', JSON.stringify(reasons[finish]));
    return reply.noUsage === true ? ended.replace(/,"usage":\{.*\}(?=\})/, '') : ended;
  });
}

function refused(explanation: string): Anthropic.RefusalStopDetails {
  return { type: 'refusal', category: 'cyber', explanation };
}

function inputOf({ usage }: ServerAnswer) {
  const cached = usage?.cachedInputTokens;
  return {
    input_tokens: (usage?.inputTokens ?? 1) - (cached ?? 0),
    cache_creation_input_tokens: cached === undefined ? null : 0,
    cache_read_input_tokens: cached ?? null,
  };
}

/** The events, joined into as many chunks as the contract counts. */
function chunks(reply: ServerAnswer): string[] {
  const out: string[] = [];
  let before = start({ usage: { ...startUsage, ...inputOf(reply) } });
  if (reply.noUsage === true) before = before.replace(/,"usage":\{.*\}(?=\}\})/, '');
  const push = (events: string): void => {
    out.push(before + events);
    before = '';
    if (reply.unknownEvents !== true) return;
    before = event({ type: 'surprise', text: 'no' });
    before += event({ type: 'content_block_delta', index: 0, delta: { type: 'surprise_delta' } });
  };
  const add = ([first = '', ...rest]: readonly string[]): void => {
    before += first;
    for (const one of rest) push(one);
  };
  let index = 0;
  if (reply.reasoning !== undefined) {
    const { text: thoughts, proof: signature = 'EqQBsigned' } = reply.reasoning;
    const deltas = thoughts.map((one) => ({ type: 'thinking_delta', thinking: one }) as const);
    const empty = { type: 'thinking', thinking: '', signature: '' } as const;
    add(block(index++, empty, ...deltas, { type: 'signature_delta', signature }));
  }
  if (reply.text !== undefined) add(text(index++, ...reply.text));
  for (const { id, toolName, input } of reply.calls ?? []) {
    const events = call(index++, id ?? '', toolName, ...halves(input));
    add(id === undefined ? events.map(withoutId) : events);
  }
  for (const one of ending(reply)) push(one);
  return out;
}

function withoutId(data: string): string {
  return data.replace('"id":"",', '');
}

function whole(reply: ServerAnswer): object {
  const [last = ''] = ending(reply);
  const { delta, usage } = JSON.parse(last.slice(last.indexOf('data: ') + 6));
  const content: object[] = [];
  if (reply.reasoning !== undefined) {
    const { text: thoughts, proof: signature = 'EqQBsigned' } = reply.reasoning;
    content.push({ type: 'thinking', thinking: thoughts.join(''), signature });
  }
  if (reply.text !== undefined) content.push({ type: 'text', text: reply.text.join('') });
  for (const { id, toolName, input } of reply.calls ?? []) {
    content.push({ type: 'tool_use', id, name: toolName, input: JSON.parse(input) });
  }
  return { ...message(), content, ...delta, usage };
}

interface Block {
  readonly type: string;
  readonly id?: string;
  readonly name?: string;
  readonly tool_use_id?: string;
  readonly content?: unknown;
}

function toolIds(body: unknown) {
  const { messages } = body as { readonly messages: readonly { content: readonly Block[] }[] };
  const blocks = messages.flatMap(({ content }) => content);
  return {
    calls: blocks
      .filter(({ type }) => type === 'tool_use')
      .map(({ id = '', name: toolName = '' }) => ({ id, toolName })),
    results: blocks
      .filter(({ type }) => type === 'tool_result')
      .map(({ tool_use_id: id = '', content }) => ({ id, text: JSON.stringify(content) })),
  };
}
