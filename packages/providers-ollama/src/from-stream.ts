import {
  toJson,
  type FinishReason,
  type Json,
  type ModelPart,
  type ModelResponse,
  type ModelStreamEvent,
} from '@agent-functions/core';
import {
  isRecord,
  listOf,
  parsed,
  stringOf,
  WireError,
  type AnswerReader,
  type Fields,
} from '@agent-functions/core/provider';

type ToolCall = Extract<ModelPart, { readonly type: 'tool-call' }>;
type File = Extract<ModelPart, { readonly type: 'file' }>;

// `ChatResponse`, `Message` and `ToolCall` of the SDK (ollama/dist/browser.d.ts), and what newer servers add to them.
const lineFields = new Set([
  'model',
  'created_at',
  'message',
  'done',
  'done_reason',
  'total_duration',
  'load_duration',
  'prompt_eval_count',
  'prompt_eval_duration',
  'eval_count',
  'eval_duration',
  'logprobs',
  'remote_model',
  'remote_host',
]);
const messageFields = new Set(['role', 'content', 'thinking', 'images', 'tool_calls']);
const callFields = new Set(['id', 'type', 'function']);
const functionFields = new Set(['index', 'name', 'arguments']);

/** Reads the lines of one answer. @param model The model that was asked. */
export function streamReader(model: string): AnswerReader {
  let thinking = '';
  let text = '';
  let last: Fields | undefined;
  const calls: ToolCall[] = [];
  const files: File[] = [];
  const strange = new Map<string, number>();

  function count(fields: Fields, known: ReadonlySet<string>): void {
    for (const name of Object.keys(fields)) {
      if (!known.has(name)) strange.set(name, (strange.get(name) ?? 0) + 1);
    }
  }

  function readCall(one: unknown): ModelStreamEvent {
    const call = isRecord(one) ? one : {};
    const said = isRecord(call['function']) ? call['function'] : {};
    count(call, callFields);
    count(said, functionFields);
    const toolName = stringOf(said['name']) ?? '';
    if (toolName === '') throw new WireError('a tool call has no name');
    const input = inputOf(said['arguments']);
    calls.push({ type: 'tool-call', toolName, input });
    const delta = typeof input === 'string' ? input : JSON.stringify(input);
    return { type: 'tool-input-delta', index: calls.length - 1, toolName, delta };
  }

  return {
    push(line) {
      if (!isRecord(line)) throw new WireError('it sent a line that is not a JSON object');
      const events: ModelStreamEvent[] = [];
      const message = isRecord(line['message']) ? line['message'] : {};
      count(line, lineFields);
      count(message, messageFields);
      const thought = stringOf(message['thinking']) ?? '';
      if (thought !== '') {
        thinking += thought;
        events.push({ type: 'reasoning-delta', delta: thought });
      }
      const content = stringOf(message['content']) ?? '';
      if (content !== '') {
        text += content;
        events.push({ type: 'text-delta', delta: content });
      }
      for (const call of listOf(message['tool_calls'])) events.push(readCall(call));
      for (const data of listOf(message['images'])) {
        if (typeof data === 'string') files.push({ type: 'file', mediaType: typeOf(data), data });
      }
      if (line['done'] === true) last = line;
      return events;
    },
    isComplete: () => last !== undefined,
    end() {
      if (last === undefined) throw new WireError('it ended before the answer did');
      const parts: ModelPart[] = [
        // Under our key, so that it goes back to Ollama and to nobody else.
        ...(thinking === ''
          ? []
          : [
              {
                type: 'reasoning' as const,
                text: thinking,
                providerData: { ollama: { thinking: true } },
              },
            ]),
        ...(text === '' ? [] : [{ type: 'text' as const, text }]),
        ...files,
        ...calls,
      ];
      const response = toResponse(last, parts, model);
      return [...strangers(strange), { type: 'response', response }];
    },
  };
}

/** The answer of a call that did not stream: the same object as a line, with everything in it. */
export function fromBody(body: unknown, model: string): readonly ModelStreamEvent[] {
  if (!isRecord(body)) throw new WireError('the body of the answer is not a JSON object');
  if (body['error'] !== undefined) {
    throw new WireError('the server answered with an error', body['error']);
  }
  if (!isRecord(body['message'])) throw new WireError('the answer has no message');
  const reader = streamReader(model);
  reader.push({ ...body, done: body['done'] ?? true });
  return reader.end();
}

function toResponse(last: Fields, parts: readonly ModelPart[], asked: string): ModelResponse {
  const inputTokens = tokens(last['prompt_eval_count']);
  const outputTokens = tokens(last['eval_count']);
  const model = stringOf(last['model']) || undefined;
  return {
    parts,
    // A prompt that the server has still in its cache is not counted by all versions: 0.
    usage: { inputTokens, outputTokens, totalTokens: inputTokens + outputTokens },
    finishReason: finishReason(stringOf(last['done_reason']), parts),
    ...(model === undefined || model === asked ? {} : { modelId: model }),
  };
}

function tokens(value: unknown): number {
  return typeof value === 'number' && value > 0 ? value : 0;
}

/** `stop` and `length`; `load` and `unload` answer a request without messages. */
function finishReason(reason: string | undefined, parts: readonly ModelPart[]): FinishReason {
  if (reason === 'length') return 'length';
  if (parts.some((part) => part.type === 'tool-call')) return 'tool-calls';
  return reason === undefined || reason === '' || reason === 'stop' ? 'stop' : 'other';
}

/** Arguments are an object on this wire; a proxy may send them as text. */
function inputOf(value: unknown): Json {
  if (typeof value !== 'string') return isRecord(value) ? toJson(value) : {};
  if (value.trim() === '') return {};
  const json = parsed(value);
  return json === undefined ? value : toJson(json);
}

/** An image comes without its type; its first bytes say it. */
function typeOf(base64: string): string {
  if (base64.startsWith('/9j/')) return 'image/jpeg';
  if (base64.startsWith('R0lGOD')) return 'image/gif';
  return base64.startsWith('UklGR') ? 'image/webp' : 'image/png';
}

function strangers(strange: ReadonlyMap<string, number>): readonly ModelStreamEvent[] {
  if (strange.size === 0) return [];
  const names = [...strange].slice(0, 10).map(([name, times]) => `${name} (${times})`);
  const message = `Ollama sent fields that this version does not know, and they were ignored: ${names.join(', ')}.`;
  return [{ type: 'warning', code: 'unknown-fields', message }];
}
