import { ModelError, type ModelErrorReason } from '../src/errors.ts';
import { isJsonObject, type Json } from '../src/json.ts';
import { outputText, wireCallId, type FilePart, type Message, type Part } from '../src/message.ts';
import type {
  Model,
  ModelCallOptions,
  ModelPart,
  ModelRequest,
  ModelResponse,
  ModelStreamEvent,
} from '../src/model.ts';
import type { Line, LinesFile, LinesItem, LinesRequest } from './lines-wire.ts';
import { contractSecret } from '../src/testing/model-scenario.ts';

/** What a broken provider does instead. */
export interface Bugs {
  readonly noResponse?: boolean;
  readonly collects?: boolean;
  readonly ignoresAbort?: boolean;
  readonly showsKey?: boolean;
  readonly repeatsIds?: boolean;
  readonly wrongReason?: boolean;
  readonly takesHalves?: boolean;
  readonly losesProof?: boolean;
  readonly sendsForeign?: boolean;
  readonly dropsFiles?: boolean;
  readonly splitsLetters?: boolean;
  readonly countsRequests?: boolean;
  readonly ignoresChoice?: boolean;
}

const provider = 'lines';

/** The provider of a vendor that does not exist (`lines-wire.ts`): the smallest that meets the contract. */
export function linesModel(baseUrl: string, bugs: Bugs): Model {
  let asked = 0;
  async function* stream(
    request: ModelRequest,
    { signal }: ModelCallOptions,
  ): AsyncGenerator<ModelStreamEvent> {
    let over = false;
    try {
      const own = bugs.ignoresAbort === true ? new AbortController().signal : signal;
      for await (const event of answer(request, own)) {
        over ||= event.type === 'response';
        yield event;
      }
    } catch (error) {
      if (over) return;
      if (signal.aborted) throw signal.reason;
      if (error instanceof SyntaxError) throw fail('invalid-response', 'That is no answer.');
      throw error instanceof ModelError ? error : fail('network', 'The connection failed.');
    }
  }

  async function* answer(
    request: ModelRequest,
    signal: AbortSignal,
  ): AsyncGenerator<ModelStreamEvent> {
    signal.throwIfAborted();
    const body = toBody(request, bugs);
    asked += 1;
    const response = await fetch(baseUrl, {
      method: 'POST',
      headers: { authorization: `Bearer ${contractSecret}` },
      body: JSON.stringify(bugs.countsRequests === true ? { ...body, extra: { asked } } : body),
      signal,
    });
    if (!response.ok) throw await toFailure(response, bugs);
    yield* read(readLines(response, bugs), request.settings.streaming !== false, bugs);
  }

  return { provider, modelId: 'm', stream };
}

async function* read(
  lines: AsyncIterable<Line>,
  streaming: boolean,
  bugs: Bugs,
): AsyncGenerator<ModelStreamEvent> {
  const collected = collector();
  const held: ModelStreamEvent[] = [];
  for await (const line of lines) {
    if (line.reason !== undefined) throw fail(line.reason, line.message ?? 'It broke off.');
    const delta = toDelta(line);
    collected.add(line);
    if (delta !== undefined && streaming) {
      if (bugs.collects === true) held.push(delta);
      else yield delta;
    }
    if (line.end === undefined || bugs.noResponse === true) continue;
    yield* held;
    yield { type: 'response', response: collected.response(line) };
    return;
  }
  if (bugs.takesHalves === true) {
    yield { type: 'response', response: collected.response({ end: 'stop' }) };
  } else if (bugs.noResponse !== true) throw fail('invalid-response', 'It ended in the middle.');
}

/** Puts the lines of an answer together. */
function collector(): { add(line: Line): void; response(last: Line): ModelResponse } {
  const [inputs, names]: [string[], string[]] = [[], []];
  let [text, thought, refusal]: [string, string, string] = ['', '', ''];
  let proof: string | undefined;
  return {
    add(line) {
      text += line.text ?? '';
      thought += line.thought ?? '';
      refusal += line.refusal ?? '';
      proof ??= line.proof;
      if (line.call === undefined) return;
      names[line.call] = line.toolName ?? '';
      inputs[line.call] = (inputs[line.call] ?? '') + (line.input ?? '');
    },
    response({ end = 'other', usage = {} }) {
      const parts: ModelPart[] = [];
      if (thought !== '' || proof !== undefined) {
        const own = proof === undefined ? {} : { providerData: { [provider]: { proof } } };
        parts.push({ type: 'reasoning', text: thought, ...own });
      }
      if (text !== '') parts.push({ type: 'text', text });
      if (refusal !== '') parts.push({ type: 'refusal', text: refusal });
      for (const [index, input] of inputs.entries()) {
        parts.push({ type: 'tool-call', toolName: names[index] ?? '', input: parsed(input) });
      }
      const { inputTokens = 0, outputTokens = 0, ...more } = usage;
      return {
        parts,
        finishReason: refusal === '' ? end : 'refusal',
        usage: { inputTokens, outputTokens, totalTokens: inputTokens + outputTokens, ...more },
      };
    },
  };
}

function fail(reason: ModelErrorReason, message: string, more: object = {}): ModelError {
  return new ModelError(message, { reason, provider, ...more });
}

const byStatus: { readonly [status: number]: ModelErrorReason } = {
  502: 'overloaded',
  504: 'timeout',
};

async function toFailure(response: Response, bugs: Bugs): Promise<ModelError> {
  const { status } = response;
  const body: unknown = await response.json().catch(() => undefined);
  const line: Line = typeof body === 'object' && body !== null ? body : {};
  const message = line.message ?? 'It failed.';
  const shown = bugs.showsKey === true ? message : message.replace(contractSecret, '…');
  const reason = line.reason ?? byStatus[status] ?? 'unknown';
  return fail(bugs.wrongReason === true ? 'unknown' : reason, shown, {
    status,
    retryAfterMs: waitOf(response.headers.get('retry-after')),
  });
}

function waitOf(value: string | null): number | undefined {
  if (value === null) return undefined;
  const seconds = Number(value);
  return Number.isNaN(seconds) ? Math.max(0, Date.parse(value) - Date.now()) : seconds * 1_000;
}

async function* readLines(response: Response, bugs: Bugs): AsyncGenerator<Line> {
  let rest = '';
  const decoder = new TextDecoder();
  if (response.body === null) return;
  for await (const bytes of response.body) {
    rest +=
      bugs.splitsLetters === true
        ? new TextDecoder().decode(bytes)
        : decoder.decode(bytes, { stream: true });
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) yield JSON.parse(line);
  }
}

function toDelta({
  text,
  thought,
  call,
  toolName = '',
  input = '',
}: Line): ModelStreamEvent | undefined {
  if (thought !== undefined) return { type: 'reasoning-delta', delta: thought };
  if (text !== undefined) return { type: 'text-delta', delta: text };
  if (call === undefined) return undefined;
  return { type: 'tool-input-delta', index: call, toolName, delta: input };
}

function parsed(input: string): Json {
  if (input === '') return {};
  try {
    return JSON.parse(input);
  } catch {
    return input;
  }
}

function toBody(request: ModelRequest, bugs: Bugs): LinesRequest {
  const { providerOptions, retry: _, timeoutMs: __, ...settings } = request.settings;
  const { toolChoice: ___, ...fewer } = settings;
  return {
    instructions: request.instructions,
    tools: request.tools,
    output: request.output,
    settings: bugs.ignoresChoice === true ? fewer : settings,
    extra: providerOptions?.[provider],
    items: request.messages.flatMap((message) =>
      message.parts.flatMap((part) => toItem(part, message, bugs)),
    ),
  };
}

function toItem(part: Part, message: Message, bugs: Bugs): readonly LinesItem[] {
  const { role } = message;
  const id = (callId: string): string =>
    bugs.repeatsIds === true ? callId : wireCallId(message.runId, callId);
  switch (part.type) {
    case 'tool-call':
      return [{ call: id(part.callId), toolName: part.toolName, input: part.input }];
    case 'tool-result': {
      const files =
        part.output.type === 'json' ? [] : part.output.parts.filter((one) => one.type === 'file');
      return [{ result: id(part.callId), text: outputText(part.output), files: files.map(toFile) }];
    }
    case 'file':
      return bugs.dropsFiles === true ? [] : [{ role, file: toFile(part) }];
    case 'reasoning': {
      const own = part.providerData?.[provider];
      const proof = isJsonObject(own) && bugs.losesProof !== true ? own['proof'] : undefined;
      if (bugs.sendsForeign === true) return [{ thought: JSON.stringify(part) }];
      return typeof proof === 'string' ? [{ thought: part.text ?? '', proof }] : [];
    }
    case 'text':
    case 'summary':
    case 'refusal':
      return part.text === '' ? [] : [{ role, text: part.text }];
    default:
      return part satisfies never;
  }
}

function toFile({ mediaType, data, url }: FilePart): LinesFile {
  return { mediaType, data, url };
}
