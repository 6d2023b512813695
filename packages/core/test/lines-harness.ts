import { createServer, type ServerResponse } from 'node:http';
import { gate } from '../src/testing/gate.ts';
import { linesModel, type Bugs } from './lines-model.ts';
import type { Line, LinesRequest } from './lines-wire.ts';
import type { ModelHarness } from '../src/testing/model-contract.ts';
import type { SentRequest } from '../src/testing/model-fixture.ts';
import type { ServerAnswer, ServerReply } from '../src/testing/model-scenario.ts';
import { playAnswer } from '../src/testing/play-answer.ts';

/** Plays the contract's replies as lines of JSON. */
export function linesHarness(bugs: Bugs = {}): ModelHarness {
  return {
    cannot: { 'foreign-file': 'the wire takes a file without bytes and address as it is' },
    async make({ replies }) {
      const requests: LinesRequest[] = [];
      const hangUps = gate();
      const server = createServer((request, response) => {
        let body = '';
        request.setEncoding('utf8');
        request.on('data', (chunk: string) => (body += chunk));
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
      const address = server.address();
      if (address === null || typeof address === 'string') throw new Error('no port');
      return {
        model: linesModel(`http://127.0.0.1:${address.port}/`, bugs),
        requests: () => requests,
        hungUp: hangUps.wait(),
        toolIds,
        read,
        faults,
        async dispose() {
          server.closeAllConnections();
          if (server.listening) await new Promise((resolve) => server.close(resolve));
        },
      };
    },
  };
}

async function play(reply: ServerReply, response: ServerResponse): Promise<void> {
  if (reply.page === true) {
    response.writeHead(reply.type === 'failure' ? reply.status : 200);
    return void response.end('<html><body>Bad gateway</body></html>\n');
  }
  if (reply.type === 'failure') {
    const { status, reason, message, retryAfterSeconds, retryAfterDate } = reply;
    const wait = retryAfterSeconds ?? retryAfterDate;
    if (wait !== undefined) response.setHeader('retry-after', wait);
    response.writeHead(status).end(JSON.stringify({ reason, message }));
    return;
  }
  if (reply.pause?.afterChunks === 0) await reply.pause.until;
  response.flushHeaders();
  await playAnswer(
    reply,
    toLines(reply).map((line) => `${JSON.stringify(line)}\n`),
    {
      write: (bytes) => new Promise((resolve) => response.write(bytes, resolve)),
      end: () => void response.end(),
      destroy: () => void response.destroy(),
    },
    {
      keepAlive: '{}\n',
      failure: ({ reason, message }) => `${JSON.stringify({ reason, message })}\n`,
    },
  );
}

function toLines(reply: ServerAnswer): (Line | { readonly surprise: object })[] {
  const lines: (Line | { readonly surprise: object })[] = [];
  for (const thought of reply.reasoning?.text ?? []) lines.push({ thought });
  const proof = reply.reasoning?.proof;
  if (proof !== undefined) lines.push({ proof });
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
  const usage = reply.usage ?? { inputTokens: 1, outputTokens: 1 };
  lines.push({ end: reply.finish, ...(reply.noUsage === true ? {} : { usage }) });
  return lines;
}

function asked(body: unknown): LinesRequest {
  return JSON.parse(JSON.stringify(body));
}

function toolIds(body: unknown) {
  const { items } = asked(body);
  return {
    calls: items.flatMap((item) =>
      'call' in item ? [{ id: item.call, toolName: item.toolName }] : [],
    ),
    results: items.flatMap((item) =>
      'result' in item ? [{ id: item.result, text: item.text }] : [],
    ),
  };
}

function read(body: unknown): SentRequest {
  const { instructions = '', items, tools, output, settings } = asked(body);
  const { streaming, reasoning: _, ...rest } = settings;
  return {
    ...rest,
    instructions,
    messages: items.flatMap((item): SentRequest['messages'] => {
      if ('result' in item) return [{ role: 'tool', text: item.text }];
      return 'text' in item ? [item] : [];
    }),
    files: items.flatMap((item) => {
      if ('file' in item) return [item.file];
      return 'result' in item ? item.files : [];
    }),
    tools: tools.map(({ name }) => name),
    output: output?.schema,
    stream: streaming !== false,
  };
}

function faults(body: unknown): readonly string[] {
  const { calls, results } = toolIds(body);
  return results
    .filter(({ id }) => !calls.some((call) => call.id === id))
    .map(({ id }) => `The result ${id} has no call.`);
}
