import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ModelError, type ModelErrorReason } from '../errors.ts';
import { outputText, wireCallId, type Message } from '../message.ts';
import type {
  FinishReason,
  Model,
  ModelCallOptions,
  ModelPart,
  ModelRequest,
  ModelStreamEvent,
} from '../model.ts';
import {
  contractSecret,
  gate,
  modelContract,
  type ModelHarness,
  type ServerReply,
} from './index.ts';

// A vendor that does not exist: lines of JSON over HTTP, and the smallest provider for it. It shows that the contract
// can be met, and what a harness is; the broken variants below show that it notices.

interface Line {
  readonly text?: string;
  readonly call?: number;
  readonly toolName?: string;
  readonly input?: string;
  readonly refusal?: string;
  readonly end?: FinishReason;
  readonly usage?: { readonly [name: string]: number | undefined };
}

function toLines(reply: Extract<ServerReply, { readonly type: 'answer' }>): unknown[] {
  const lines: unknown[] = [];
  for (const text of reply.text ?? []) {
    lines.push({ text });
    if (reply.unknownEvents === true) lines.push({ surprise: { text: 'nothing' } });
  }
  if (reply.refusal !== undefined) lines.push({ refusal: reply.refusal });
  for (const [call, { toolName, input }] of (reply.calls ?? []).entries()) {
    const half = Math.ceil(input.length / 2);
    lines.push({ call, toolName, input: input.slice(0, half) });
    lines.push({ call, toolName, input: input.slice(half) });
  }
  lines.push({ end: reply.finish, usage: reply.usage ?? { inputTokens: 1, outputTokens: 1 } });
  return lines;
}

async function play(reply: ServerReply, response: ServerResponse): Promise<void> {
  if (reply.type === 'failure') {
    const { status, reason, message, retryAfterSeconds } = reply;
    if (retryAfterSeconds !== undefined) response.setHeader('retry-after', retryAfterSeconds);
    response.writeHead(status).end(JSON.stringify({ reason, message }));
    return;
  }
  if (reply.empty === true) {
    response.end();
    return;
  }
  for (const [sent, line] of toLines(reply).entries()) {
    if (reply.pause?.afterChunks === sent) await reply.pause.until;
    if (reply.cutAfterChunks === sent) return void response.destroy();
    await new Promise((resolve) => response.write(`${JSON.stringify(line)}\n`, resolve));
  }
  response.end();
}

/** What a broken provider does instead. */
interface Bugs {
  readonly noResponse?: boolean;
  readonly collects?: boolean;
  readonly ignoresAbort?: boolean;
  readonly showsKey?: boolean;
  readonly repeatsIds?: boolean;
  readonly wrongReason?: boolean;
}

function linesModel(baseUrl: string, bugs: Bugs): Model {
  const provider = 'lines';
  const fail = (reason: ModelErrorReason, message: string, more: object = {}): ModelError =>
    new ModelError(message, { reason, provider, ...more });

  async function* stream(
    request: ModelRequest,
    { signal }: ModelCallOptions,
  ): AsyncGenerator<ModelStreamEvent> {
    try {
      yield* answer(request, bugs.ignoresAbort === true ? new AbortController().signal : signal);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw error instanceof ModelError ? error : fail('network', 'The connection failed.');
    }
  }

  async function* answer(
    request: ModelRequest,
    signal: AbortSignal,
  ): AsyncGenerator<ModelStreamEvent> {
    signal.throwIfAborted();
    const response = await fetch(baseUrl, {
      method: 'POST',
      headers: { authorization: `Bearer ${contractSecret}` },
      body: JSON.stringify(toBody(request, bugs)),
      signal,
    });
    if (!response.ok) throw await toFailure(response);
    const parts: ModelPart[] = [];
    const inputs: string[] = [];
    const names: string[] = [];
    let text = '';
    const held: ModelStreamEvent[] = [];
    for await (const line of readLines(response)) {
      const delta = toDelta(line);
      if (line.text !== undefined) text += line.text;
      if (line.refusal !== undefined) parts.push({ type: 'refusal', text: line.refusal });
      if (line.call !== undefined) {
        names[line.call] = line.toolName ?? '';
        inputs[line.call] = (inputs[line.call] ?? '') + (line.input ?? '');
      }
      if (delta !== undefined && request.settings.streaming !== false) {
        if (bugs.collects === true) held.push(delta);
        else yield delta;
      }
      if (line.end === undefined || bugs.noResponse === true) continue;
      yield* held;
      if (text !== '') parts.unshift({ type: 'text', text });
      for (const [index, input] of inputs.entries()) {
        parts.push({ type: 'tool-call', toolName: names[index] ?? '', input: parsed(input) });
      }
      const { inputTokens = 0, outputTokens = 0, ...more } = line.usage ?? {};
      yield {
        type: 'response',
        response: {
          parts,
          finishReason: parts.some(({ type }) => type === 'refusal') ? 'refusal' : line.end,
          usage: { inputTokens, outputTokens, totalTokens: inputTokens + outputTokens, ...more },
        },
      };
      return;
    }
  }

  async function toFailure(response: Response): Promise<ModelError> {
    const body: unknown = await response.json();
    const { reason, message } = body as { reason: ModelErrorReason; message: string };
    const seconds = response.headers.get('retry-after');
    const shown = bugs.showsKey === true ? message : message.replace(contractSecret, '…');
    return fail(bugs.wrongReason === true ? 'unknown' : reason, shown, {
      status: response.status,
      retryAfterMs: seconds === null ? undefined : Number(seconds) * 1_000,
    });
  }

  return { provider, modelId: 'm', stream };
}

async function* readLines(response: Response): AsyncGenerator<Line> {
  let rest = '';
  const decoder = new TextDecoder();
  if (response.body === null) return;
  for await (const bytes of response.body) {
    rest += decoder.decode(bytes, { stream: true });
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) yield JSON.parse(line) as Line;
  }
}

function toDelta({ text, call, toolName = '', input = '' }: Line): ModelStreamEvent | undefined {
  if (text !== undefined) return { type: 'text-delta', delta: text };
  if (call === undefined) return undefined;
  return { type: 'tool-input-delta', index: call, toolName, delta: input };
}

function parsed(input: string) {
  try {
    return JSON.parse(input);
  } catch {
    return input;
  }
}

function toBody(request: ModelRequest, bugs: Bugs): unknown {
  const idOf = (message: Message, callId: string): string =>
    bugs.repeatsIds === true ? callId : wireCallId(message.runId, callId);
  return {
    instructions: request.instructions,
    tools: request.tools,
    output: request.output,
    items: request.messages.flatMap((message) =>
      message.parts.map((part) => {
        switch (part.type) {
          case 'tool-call':
            return { call: idOf(message, part.callId), toolName: part.toolName, input: part.input };
          case 'tool-result':
            return { result: idOf(message, part.callId), text: outputText(part.output) };
          case 'file':
            return {};
          case 'text':
          case 'summary':
          case 'refusal':
          case 'reasoning':
            return { role: message.role, text: part.text };
          default:
            return part satisfies never;
        }
      }),
    ),
  };
}

function linesHarness(bugs: Bugs = {}): ModelHarness {
  return {
    async make({ replies }) {
      const requests: unknown[] = [];
      const hangUps = gate();
      const server = createServer((request, response) => {
        let body = '';
        request.on('data', (chunk: Buffer) => (body += chunk.toString()));
        request.on('end', () => {
          const reply = replies[Math.min(requests.length, replies.length - 1)];
          requests.push(JSON.parse(body));
          response.on('close', () => {
            if (!response.writableFinished) hangUps.open();
          });
          if (reply !== undefined) void play(reply, response);
        });
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as AddressInfo;
      return {
        model: linesModel(`http://127.0.0.1:${port}/`, bugs),
        requests: () => requests,
        hungUp: hangUps.wait(),
        toolIds: (body) => {
          const { items } = body as { items: { call?: string; result?: string; text?: string }[] };
          return {
            calls: items.flatMap(({ call }) =>
              call === undefined ? [] : [{ id: call, toolName: 'get_weather' }],
            ),
            results: items.flatMap(({ result, text = '' }) =>
              result === undefined ? [] : [{ id: result, text }],
            ),
          };
        },
        async dispose() {
          server.closeAllConnections();
          if (server.listening) await new Promise((resolve) => server.close(resolve));
        },
      };
    },
  };
}

modelContract({ describe, it, beforeAll, afterAll }, 'lines of JSON', linesHarness());

/** Runs the contract with a runner of our own, and says which of its tests failed. */
async function failuresOf(bugs: Bugs, only: RegExp): Promise<string[]> {
  const tests: { title: string; body: () => void | Promise<void> }[] = [];
  modelContract(
    {
      describe: (_, body) => body(),
      it: (title, body) => tests.push({ title, body }),
      beforeAll: () => undefined,
      afterAll: () => undefined,
    },
    'broken',
    linesHarness(bugs),
  );
  const failed: string[] = [];
  for (const { title, body } of tests.filter((test) => only.test(test.title))) {
    try {
      await Promise.race([
        body(),
        new Promise((_, reject) => setTimeout(() => reject(new Error('too long')), 500)),
      ]);
    } catch {
      failed.push(title);
    }
  }
  return failed;
}

describe('modelContract', () => {
  it.each<[Bugs, RegExp]>([
    [{ noResponse: true }, /^streams text/],
    [{ collects: true }, /^gives deltas as they come/],
    [{ ignoresAbort: true }, /^ends within a second of an abort between/],
    [{ showsKey: true }, /authentication on 401/],
    [{ wrongReason: true }, /rate-limit on 429/],
    [{ repeatsIds: true }, /^sends calls and results back/],
  ])('notices %j', async (bugs, title) => {
    expect(await failuresOf(bugs, title)).toHaveLength(1);
    expect(await failuresOf({}, title)).toHaveLength(0);
  });
});
