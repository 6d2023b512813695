import {
  numberOf as number,
  recordOf as fields,
  recordsOf as list,
  stringOf,
} from '@agent-functions/core/provider';
import {
  contractSecret,
  playReplies,
  type ModelHarness,
  type ReplyWire,
  type SentRequest,
  type ServerAnswer,
} from '@agent-functions/core/testing';
import { ollama } from '../src/index.ts';
import { requestFaults } from './request-faults.ts';
import { last, line } from './wire-lines.ts';
import { wireServer } from './wire-server.ts';

const noFilter = 'Ollama filters nothing: there is no such reason on its wire';
const noCache = 'Ollama counts no cached tokens';
const noProof =
  'thoughts are plain text here, there is no proof (that they go back: to-request.test.ts)';

/** Plays the contract's replies as lines of JSON, from a server on this machine. */
export const harness: ModelHarness = {
  cannot: {
    'invalid-arguments': 'arguments are an object on this wire, the server has parsed them',
    refusal: 'there is no field for a refusal, it is text',
    'filtered-answer': noFilter,
    'filtered-request': noFilter,
    'usage-details': noCache,
    'usage-one-piece': noCache,
    'reasoning-round-trip': noProof,
    'reasoning-with-tools': noProof,
  },
  async make(scenario) {
    const server = await wireServer();
    return {
      ...playReplies(server, scenario, wire),
      model: ollama('qwen3-vl', { host: server.url, apiKey: contractSecret }),
      read,
      faults: requestFaults,
    };
  },
};

const wire: ReplyWire = {
  streams: ({ body }) => JSON.parse(body).stream !== false,
  contentType: 'application/x-ndjson',
  chunks: lines,
  body: (reply): unknown => JSON.parse(whole(reply)),
  keepAlive: '\n',
  failure: ({ reason, message }) => `${JSON.stringify({ error: said(reason, message) })}\n`,
  refusal: ({ reason, message }) => ({ body: { error: said(reason, message) } }),
};

/** An error is a sentence here; what it means is in its words. */
function said(reason: string, message: string): string {
  if (reason === 'context-length') return `${message} the input length exceeds the context length`;
  if (reason === 'quota') return `${message} you have reached your weekly usage limit`;
  if (reason === 'invalid-request') return `${message} "qwen3" does not support thinking`;
  return message;
}

function lines(reply: ServerAnswer): readonly string[] {
  const strange = reply.unknownEvents === true ? { surprise: { text: 'nothing' } } : {};
  return [
    ...(reply.reasoning?.text ?? []).map((thinking) => line({ thinking })),
    ...(reply.text ?? []).map((content) => line({ content, ...strange }, strange)),
    ...calls(reply).map((one) => line({ tool_calls: [one] })),
    last(ending(reply)),
  ];
}

function whole(reply: ServerAnswer): string {
  const content = (reply.text ?? []).join('');
  const thinking = reply.reasoning?.text.join('');
  const made = calls(reply);
  return line(
    {
      content,
      ...(thinking === undefined ? {} : { thinking }),
      ...(made.length === 0 ? {} : { tool_calls: made }),
    },
    { done: true, ...ending(reply) },
  );
}

/** A call that was cut in the middle is none on this wire: the server cannot parse it. */
function calls(reply: ServerAnswer): readonly object[] {
  return (reply.calls ?? []).flatMap(({ id, toolName: name, input }, index) => {
    if (reply.finish === 'length' && !input.endsWith('}')) return [];
    const args: unknown = input === '' ? {} : JSON.parse(input);
    return [{ ...(id === undefined ? {} : { id }), function: { index, name, arguments: args } }];
  });
}

const reasons = {
  stop: 'stop',
  'tool-calls': 'stop',
  length: 'length',
  'content-filter': 'stop',
  other: 'surprise',
} as const;

function ending({ finish, usage, noUsage }: ServerAnswer): object {
  const { inputTokens = 1, outputTokens = 1 } = usage ?? {};
  const counts =
    noUsage === true
      ? { prompt_eval_count: undefined, eval_count: undefined }
      : { prompt_eval_count: inputTokens, eval_count: outputTokens };
  return { done_reason: reasons[finish], ...counts };
}

function text(value: unknown): string {
  return stringOf(value) ?? '';
}

/** What a request body says, read back into no vendor's words. */
function read(body: unknown): SentRequest {
  const sent = fields(body);
  const options = fields(sent['options']);
  const all = list(sent['messages']);
  const instructed = all[0]?.['role'] === 'system';
  return {
    instructions: instructed ? text(all[0]?.['content']) : '',
    messages: (instructed ? all.slice(1) : all).map((message) => ({
      role: roleOf(message['role']),
      text: text(message['content']),
    })),
    files: all.flatMap(({ images }) =>
      Array.isArray(images) ? images.map((data: unknown) => ({ data: text(data) })) : [],
    ),
    tools: list(sent['tools']).map((tool) => text(fields(tool['function'])['name'])),
    temperature: number(options['temperature']),
    topP: number(options['top_p']),
    maxTokens: number(options['num_predict']),
    stop: Array.isArray(options['stop']) ? options['stop'].map(text) : undefined,
    seed: number(options['seed']),
    output: sent['format'],
    stream: sent['stream'] === true,
  };
}

function roleOf(role: unknown): SentRequest['messages'][number]['role'] {
  return role === 'assistant' || role === 'tool' || role === 'system' ? role : 'user';
}
