import type { ServerResponse } from 'node:http';
import {
  contractSecret,
  playAnswer,
  type ModelHarness,
  type ServerAnswer,
  type ServerFailure,
  type ServerReply,
} from '@agent-functions/core/testing';
import { callIds, readRequest } from './sent-request.ts';
import type { Target } from './targets.ts';
import { bodyProblems } from './validate-request.ts';
import {
  chunk,
  errorInfo,
  event,
  failureBody,
  last,
  names,
  quotaFailure,
  retryInfo,
} from './wire-events.ts';
import { wireServer, type Received } from './wire-server.ts';

/** Plays the replies of the model contract, from a server on this machine. */
export function harness(target: Target): ModelHarness {
  return {
    cannot,
    async make(scenario) {
      const server = await wireServer();
      let asked = 0;
      let hangUp: () => void = () => undefined;
      const hungUp = new Promise<void>((resolve) => (hangUp = resolve));
      server.play((response, request) => {
        void request.closed.then(hangUp);
        const reply = scenario.replies[Math.min(asked++, scenario.replies.length - 1)];
        return reply === undefined ? undefined : play(reply, request, response);
      });
      // Whether a stream is asked for is in the path, so that a body must be told from the others.
      const bodies = new Map<Received, unknown>();
      const parsed = (request: Received): unknown => {
        if (!bodies.has(request)) bodies.set(request, JSON.parse(request.body));
        return bodies.get(request);
      };
      const streamed = (body: unknown): boolean =>
        server.received.some((one) => parsed(one) === body && one.url.includes('streamGenerate'));
      let disposed: Promise<void> | undefined;
      return {
        model: target.model(server.url, { apiKey: contractSecret }),
        requests: () => server.received.map(parsed),
        hungUp,
        ...(target.ids ? { toolIds: callIds } : {}),
        read: (body) => readRequest(body, streamed(body)),
        faults: (body) => bodyProblems(body, target.modelId),
        option: { name: 'serviceTier', value: 'flex' },
        dispose: () => (disposed ??= server.close()),
      };
    },
  };
}

const cannot: ModelHarness['cannot'] = {
  'invalid-arguments': 'the wire carries arguments as an object, never as text',
  refusal: 'the wire has no field for a refusal: blocks are finish reasons and promptFeedback',
  'filtered-request':
    'the API answers a blocked prompt with 200 and promptFeedback, which model.test.ts plays',
};

async function play(
  reply: ServerReply,
  request: Received,
  response: ServerResponse,
): Promise<void> {
  if (reply.page === true) return page(reply, response);
  if (reply.type === 'failure') return fail(reply, response);
  if (reply.pause?.afterChunks === 0) await reply.pause.until;
  if (!request.url.includes('streamGenerate')) {
    response.writeHead(200, { 'content-type': 'application/json; charset=UTF-8' });
    response.end(JSON.stringify(bodyOf(reply)));
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.flushHeaders();
  await playAnswer(
    reply,
    chunksOf(reply),
    {
      write: (bytes) => new Promise((resolve) => response.write(bytes, resolve)),
      end: () => void response.end(),
      destroy: () => void response.socket?.destroy(),
    },
    {
      keepAlive: ': keep-alive\r\n\r\n',
      failure: ({ reason, message }) => {
        const [status, details] = errors[reason] ?? ['INTERNAL', []];
        return event(failureBody(503, status, message, details));
      },
    },
  );
}

function page(reply: ServerReply, response: ServerResponse): void {
  const status = reply.type === 'failure' ? reply.status : 200;
  response.writeHead(status, { 'content-type': 'text/html' });
  response.end(`<html><body><h1>${status}</h1></body></html>`);
}

function fail(reply: ServerFailure, response: ServerResponse): void {
  const [status, details] = errors[reply.reason] ?? ['INTERNAL', []];
  const { retryAfterSeconds, retryAfterDate } = reply;
  const message =
    reply.reason === 'context-length'
      ? `${reply.message} The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).`
      : reply.message;
  const wait = retryAfterSeconds === undefined ? [] : [retryInfo(`${retryAfterSeconds}s`)];
  if (retryAfterDate !== undefined) response.setHeader('retry-after', retryAfterDate);
  response.writeHead(reply.status, { 'content-type': 'application/json; charset=UTF-8' });
  response.end(JSON.stringify(failureBody(reply.status, status, message, [...details, ...wait])));
}

const errors: { readonly [reason: string]: readonly [status: string, details: object[]] } = {
  authentication: ['UNAUTHENTICATED', [errorInfo('ACCESS_TOKEN_EXPIRED')]],
  permission: ['PERMISSION_DENIED', []],
  'invalid-request': ['INVALID_ARGUMENT', []],
  'context-length': ['INVALID_ARGUMENT', []],
  'rate-limit': [
    'RESOURCE_EXHAUSTED',
    [quotaFailure('GenerateRequestsPerMinutePerProjectPerModel')],
  ],
  quota: ['RESOURCE_EXHAUSTED', [quotaFailure('GenerateRequestsPerDayPerProjectPerModel')]],
  overloaded: ['UNAVAILABLE', []],
};

/** Thoughts, texts and calls; a call that was cut by the length does not come at all. */
function partsOf(reply: ServerAnswer): object[] {
  const { reasoning, text = [], calls = [] } = reply;
  const proof = reasoning?.proof ?? 'c2lnbmF0dXJl';
  const whole = calls.filter(({ input }) => reply.finish !== 'length' || isJson(input));
  return [
    ...(reasoning?.text ?? []).map((thought) => ({ text: thought, thought: true })),
    ...text.map((one) => ({ text: one })),
    ...whole.map(({ id, toolName: name, input }, index) => ({
      functionCall: {
        name,
        ...(input === '' ? {} : { args: JSON.parse(input) }),
        ...(id === undefined ? {} : { id }),
      },
      ...(index === 0 ? { thoughtSignature: proof } : {}),
    })),
  ];
}

/** Where the model called nothing, its signature comes last, without any text. */
function lastParts({ reasoning, calls }: ServerAnswer): object[] {
  const proof = calls === undefined ? reasoning?.proof : undefined;
  return [{ text: '', ...(proof === undefined ? {} : { thoughtSignature: proof }) }];
}

function chunksOf(reply: ServerAnswer): string[] {
  const surprise =
    reply.unknownEvents === true
      ? [
          event({ surprise: { text: 'no' } }),
          chunk([{ hologram: { voxels: 'no' } }], { surprise: 'no' }),
          'event: surprise\r\nid: 1\r\n\r\n',
        ]
      : [];
  return [
    ...partsOf(reply).flatMap((part) => [chunk([part]), ...surprise]),
    last(finishes[reply.finish], lastParts(reply), { usageMetadata: usageOf(reply) }),
  ];
}

function bodyOf(reply: ServerAnswer): object {
  const parts = [...partsOf(reply), ...lastParts(reply)];
  return {
    candidates: [{ content: { role: 'model', parts }, finishReason: finishes[reply.finish] }],
    usageMetadata: usageOf(reply),
    ...names,
  };
}

const finishes = {
  stop: 'STOP',
  'tool-calls': 'STOP',
  length: 'MAX_TOKENS',
  'content-filter': 'SAFETY',
  other: 'A_NEW_REASON',
} as const;

function usageOf({ usage, noUsage }: ServerAnswer): object | undefined {
  if (noUsage === true) return undefined;
  const { inputTokens = 1, outputTokens = 1, cachedInputTokens, reasoningTokens } = usage ?? {};
  return {
    promptTokenCount: inputTokens,
    candidatesTokenCount: outputTokens - (reasoningTokens ?? 0),
    thoughtsTokenCount: reasoningTokens,
    cachedContentTokenCount: cachedInputTokens,
    totalTokenCount: inputTokens + outputTokens,
  };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
