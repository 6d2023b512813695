import type { ServerResponse } from 'node:http';
import {
  contractSecret,
  type ModelHarness,
  type ServerAnswer,
  type ServerFailure,
  type ServerReply,
} from '@agent-functions/core/testing';
import type { Target } from './targets.ts';
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
import { wireServer } from './wire-server.ts';

/** Plays the replies of the model contract, from a server on this machine. */
export function harness(target: Target): ModelHarness {
  return {
    except: {
      'invalid-arguments': 'the wire carries arguments as an object, never as text',
      refusal: 'the wire has no field for a refusal; blocks are finish reasons and promptFeedback',
      'filtered-request':
        'the API answers a blocked prompt with 200 and promptFeedback: see model.test.ts',
    },
    async make(scenario) {
      const server = await wireServer();
      let asked = 0;
      let hangUp: () => void = () => undefined;
      const hungUp = new Promise<void>((resolve) => (hangUp = resolve));
      server.play((response, request) => {
        void request.closed.then(hangUp);
        const reply = scenario.replies[Math.min(asked++, scenario.replies.length - 1)];
        return reply === undefined ? undefined : play(reply, request.url, response);
      });
      let disposed: Promise<void> | undefined;
      return {
        model: target.model(server.url, { apiKey: contractSecret }),
        requests: () => server.received.map(({ body }): unknown => JSON.parse(body)),
        hungUp,
        ...(target.ids ? { toolIds } : {}),
        dispose: () => (disposed ??= server.close()),
      };
    },
  };
}

async function play(reply: ServerReply, url: string, response: ServerResponse): Promise<void> {
  if (reply.type === 'failure') return fail(reply, response);
  if (!url.includes('stream')) {
    response.writeHead(200, { 'content-type': 'application/json; charset=UTF-8' });
    response.end(JSON.stringify(body(reply)));
    return;
  }
  const wait = reply.pause;
  if (wait?.afterChunks === 0) await wait.until;
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  if (reply.empty === true) return void response.end();
  for (const [sent, text] of chunks(reply).entries()) {
    if (sent > 0 && wait?.afterChunks === sent) await wait.until;
    if (reply.cutAfterChunks === sent) return void response.socket?.destroy();
    await new Promise((resolve) => response.write(text, resolve));
  }
  response.end();
}

function fail(reply: ServerFailure, response: ServerResponse): void {
  const [status, details] = errors[reply.reason] ?? ['INTERNAL', []];
  const { retryAfterSeconds } = reply;
  const message =
    reply.reason === 'context-length'
      ? `${reply.message} The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).`
      : reply.message;
  const wait = retryAfterSeconds === undefined ? [] : [retryInfo(`${retryAfterSeconds}s`)];
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

function callParts(reply: ServerAnswer): object[] {
  return (reply.calls ?? []).map(({ id, toolName, input }, index) => ({
    functionCall: { name: toolName, args: JSON.parse(input), ...(id === undefined ? {} : { id }) },
    ...(index === 0 ? { thoughtSignature: 'c2lnbmF0dXJl' } : {}),
  }));
}

function chunks(reply: ServerAnswer): string[] {
  const surprise =
    reply.unknownEvents === true
      ? [
          event({ surprise: { text: 'no' } }),
          chunk([{ hologram: { voxels: 'no' } }], { surprise: 'no' }),
          ': a comment\n\n',
          'event: surprise\nid: 1\n\n',
        ]
      : [];
  return [
    ...(reply.text ?? []).flatMap((text) => [chunk([{ text }]), ...surprise]),
    ...callParts(reply).map((part) => chunk([part])),
    last(finishes[reply.finish], [{ text: '' }], usageOf(reply)),
  ];
}

function body(reply: ServerAnswer): object {
  const texts = (reply.text ?? []).map((text) => ({ text }));
  return {
    candidates: [
      {
        content: { role: 'model', parts: [...texts, ...callParts(reply)] },
        finishReason: finishes[reply.finish],
      },
    ],
    usageMetadata: usageOf(reply),
    ...names,
  };
}

const finishes = {
  stop: 'STOP',
  'tool-calls': 'STOP',
  length: 'MAX_TOKENS',
  'content-filter': 'SAFETY',
} as const;

function usageOf({ usage }: ServerAnswer): object {
  const { inputTokens = 1, outputTokens = 1, cachedInputTokens, reasoningTokens } = usage ?? {};
  return {
    promptTokenCount: inputTokens,
    candidatesTokenCount: outputTokens - (reasoningTokens ?? 0),
    thoughtsTokenCount: reasoningTokens,
    cachedContentTokenCount: cachedInputTokens,
    totalTokenCount: inputTokens + outputTokens,
  };
}

interface Content {
  readonly parts: readonly {
    readonly functionCall?: { readonly id?: string; readonly name: string };
    readonly functionResponse?: { readonly id?: string; readonly response: object };
  }[];
}

function toolIds(sent: unknown) {
  const { contents } = sent as { readonly contents: readonly Content[] };
  const parts = contents.flatMap((one) => one.parts);
  return {
    calls: parts.flatMap(({ functionCall: call }) =>
      call === undefined ? [] : [{ id: call.id ?? '', toolName: call.name }],
    ),
    results: parts.flatMap(({ functionResponse: result }) =>
      result === undefined ? [] : [{ id: result.id ?? '', text: JSON.stringify(result.response) }],
    ),
  };
}
