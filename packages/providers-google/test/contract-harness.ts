import {
  contractSecret,
  playReplies,
  type ModelHarness,
  type ReplyWire,
  type ServerAnswer,
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
import { wireServer } from './wire-server.ts';

/** Plays the replies of the model contract, from a server on this machine. */
export function harness(target: Target): ModelHarness {
  return {
    cannot,
    async make(scenario) {
      const server = await wireServer();
      const replies = playReplies(server, scenario, wire);
      return {
        ...replies,
        model: target.model(server.url, { apiKey: contractSecret }),
        ...(target.ids ? { toolIds: callIds } : {}),
        read(body) {
          // Whether a stream is asked for is in the path.
          const request = server.received[replies.requests().indexOf(body)];
          return readRequest(body, request !== undefined && wire.streams(request));
        },
        faults: (body) => bodyProblems(body, target.modelId),
        option: { name: 'serviceTier', value: 'flex' },
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

const wire: ReplyWire = {
  streams: ({ url }) => url.includes('streamGenerate'),
  chunks: chunksOf,
  body: bodyOf,
  keepAlive: ': keep-alive\r\n\r\n',
  failure({ reason, message }) {
    const [status, details] = errors[reason] ?? ['INTERNAL', []];
    return event(failureBody(503, status, message, details));
  },
  refusal({ reason, status, message, retryAfterSeconds }) {
    const [code, details] = errors[reason] ?? ['INTERNAL', []];
    const said =
      reason === 'context-length'
        ? `${message} The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).`
        : message;
    const wait = retryAfterSeconds === undefined ? [] : [retryInfo(`${retryAfterSeconds}s`)];
    return { body: failureBody(status, code, said, [...details, ...wait]) };
  },
};

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
