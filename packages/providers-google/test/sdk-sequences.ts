import type { ModelPart } from '@agent-functions/core';
import {
  BlockedReason,
  FinishReason,
  HarmCategory,
  HarmProbability,
  MediaModality,
  type Candidate,
  type GenerateContentResponse,
  type Part,
} from '@google/genai';
import { event, failureBody, names, retryInfo } from './wire-events.ts';

// Sequences of chunks as `streamGenerateContent?alt=sse` sends them. Every chunk is of the SDK's own types, so that the
// compiler says when one is not: the fields of `GenerateContentResponse` that come over the wire, with `Candidate`, `Part`,
// `FunctionCall` and the enums beneath it (@google/genai 3.1, dist/genai.d.ts; order and meaning as its comments,
// https://ai.google.dev/api/generate-content and https://ai.google.dev/gemini-api/docs/thought-signatures say). An error
// within a stream has no type there: `throwIfStreamErrorChunk` (dist/node/index.mjs) reads it, and
// https://cloud.google.com/apis/design/errors words it.

/** A chunk, without the getters and what the SDK adds to it. */
type Chunk = Pick<
  GenerateContentResponse,
  'candidates' | 'createTime' | 'modelVersion' | 'promptFeedback' | 'responseId' | 'usageMetadata'
>;

/** A sequence, and what it comes to. */
export interface Sequence {
  readonly name: string;
  /** A text goes over the wire as it is. */
  readonly chunks: readonly (Chunk | string)[];
  readonly ends: Answered | Failed;
}

interface Answered {
  /** Signatures are kept with the API that gave them. */
  readonly parts: (api: Api) => readonly ModelPart[];
  readonly finishReason: string;
  readonly warning?: string;
}

/** Where the vendor itself breaks off. */
interface Failed {
  readonly error: object;
}

type Api = 'gemini' | 'vertex';

/** What goes over the wire. */
export function wire({ chunks }: Sequence): readonly string[] {
  return chunks.map((one) => (typeof one === 'string' ? one : event(one)));
}

const counted = {
  promptTokenCount: 20,
  totalTokenCount: 20,
  promptTokensDetails: [{ modality: MediaModality.TEXT, tokenCount: 20 }],
} satisfies Chunk['usageMetadata'];

const usageMetadata = {
  ...counted,
  candidatesTokenCount: 6,
  thoughtsTokenCount: 4,
  cachedContentTokenCount: 8,
  totalTokenCount: 30,
} satisfies Chunk['usageMetadata'];

/** A chunk in the middle. */
function says(...parts: Part[]): Chunk {
  return {
    candidates: [{ content: { parts, role: 'model' }, index: 0 }],
    usageMetadata: counted,
    ...names,
  };
}

/** The last chunk. */
function ends(finishReason: FinishReason, more: Candidate = {}): Chunk {
  return { candidates: [{ finishReason, index: 0, ...more }], usageMetadata, ...names };
}

const model = (...parts: Part[]): Candidate => ({ content: { parts, role: 'model' } });

const rated = [
  {
    category: HarmCategory.HARM_CATEGORY_DANGEROUS_CONTENT,
    probability: HarmProbability.HIGH,
    blocked: true,
  },
];

const signature = 'c2lnbmF0dXJlLWE=';
const proof = (api: Api) => ({ providerData: { google: { signature, api } } });

const saying = [says({ text: 'Rain in ' }), says({ text: 'Köln ☔' })];
const said: ModelPart = { type: 'text', text: 'Rain in Köln ☔' };
const thinking = [
  says({ text: '**Weather**\n\nLook ', thought: true }),
  says({ text: 'it up.', thought: true }),
];
const thought: ModelPart = { type: 'reasoning', text: '**Weather**\n\nLook it up.' };

/** What the SDK has no field for. */
const newer = { surprise: { text: 'no' } };

/** A part of a kind that the SDK does not know. */
const hologram: Part & { readonly hologram: object } = { hologram: { voxels: 'no' } };

export const sequences: readonly Sequence[] = [
  {
    name: 'says in several chunks',
    chunks: [...saying, says({ text: ', all ' }), ends(FinishReason.STOP, model({ text: 'day.' }))],
    ends: {
      parts: () => [{ type: 'text', text: 'Rain in Köln ☔, all day.' }],
      finishReason: 'stop',
    },
  },
  {
    name: 'thinks, then says, and signs at the end',
    chunks: [
      ...thinking,
      ...saying,
      ends(FinishReason.STOP, model({ text: '', thoughtSignature: signature })),
    ],
    ends: {
      parts: (api) => [thought, said, { type: 'reasoning', ...proof(api) }],
      finishReason: 'stop',
    },
  },
  {
    name: 'thinks and calls twice, once without arguments',
    chunks: [
      ...thinking,
      says({
        functionCall: { id: 'call_a', name: 'weather', args: { city: 'Köln' } },
        thoughtSignature: signature,
      }),
      says({ functionCall: { id: 'call_b', name: 'clock' } }),
      ends(FinishReason.STOP, model({ text: '' })),
    ],
    ends: {
      parts: (api) => [
        thought,
        {
          type: 'tool-call',
          toolName: 'weather',
          input: { city: 'Köln' },
          providerData: { google: { id: 'call_a', signature, api } },
        },
        {
          type: 'tool-call',
          toolName: 'clock',
          input: {},
          providerData: { google: { id: 'call_b' } },
        },
      ],
      finishReason: 'tool-calls',
    },
  },
  {
    name: 'says and calls, both in the last chunk, without ids',
    chunks: [
      says({ text: 'Rain in ' }),
      ends(
        FinishReason.STOP,
        model(
          { text: 'Köln ☔' },
          { functionCall: { name: 'weather', args: { city: 'Köln', days: [1, 2] } } },
        ),
      ),
    ],
    ends: {
      parts: () => [
        said,
        { type: 'tool-call', toolName: 'weather', input: { city: 'Köln', days: [1, 2] } },
      ],
      finishReason: 'tool-calls',
    },
  },
  {
    name: 'is stopped by the safety filter after some text',
    chunks: [...saying, ends(FinishReason.SAFETY, { safetyRatings: rated })],
    ends: { parts: () => [said], finishReason: 'content-filter' },
  },
  {
    name: 'is cut at its length',
    chunks: [...saying, ends(FinishReason.MAX_TOKENS, model({ text: ', all' }))],
    ends: {
      parts: () => [{ type: 'text', text: 'Rain in Köln ☔, all' }],
      finishReason: 'length',
    },
  },
  {
    name: 'is cut at its length while it thinks',
    chunks: [...thinking, ends(FinishReason.MAX_TOKENS)],
    ends: { parts: () => [thought], finishReason: 'length' },
  },
  {
    name: 'is kept alive by comments and empty lines',
    chunks: [
      ': keep-alive\r\n\r\n',
      ...saying.flatMap((one) => [one, '\r\n\r\n', ': keep-alive\n\n', '\n\n']),
      ends(FinishReason.STOP),
    ],
    ends: { parts: () => [said], finishReason: 'stop' },
  },
  {
    name: 'has fields, parts and chunks that are newer',
    chunks: [
      { ...says({ text: 'Rain in ', ...newer }), ...newer },
      event(newer),
      says(hologram),
      'event: surprise\r\nid: 1\r\n\r\n',
      says({ text: 'Köln ☔' }),
      ends(FinishReason.STOP, { tokenCount: 6, ...newer }),
    ],
    ends: {
      parts: () => [said],
      finishReason: 'stop',
      warning:
        'The answer held what this version does not know, and it was left out: chunk (1), part "hologram" (1).',
    },
  },
  {
    name: 'has its prompt blocked',
    chunks: [
      {
        promptFeedback: { blockReason: BlockedReason.SAFETY, safetyRatings: rated },
        usageMetadata: counted,
        ...names,
      },
    ],
    ends: { error: { reason: 'content-filter', details: { vendorCode: 'SAFETY' } } },
  },
  {
    name: 'writes a call that is none',
    chunks: [
      ...saying,
      ends(FinishReason.MALFORMED_FUNCTION_CALL, { finishMessage: 'Malformed: print(weather(' }),
    ],
    ends: { error: { reason: 'invalid-response' } },
  },
  {
    name: 'breaks off with an error after some text',
    chunks: [...saying, event(failureBody(503, 'UNAVAILABLE', 'The model is overloaded.'))],
    ends: { error: { reason: 'overloaded', status: 503 } },
  },
  {
    name: 'breaks off at a limit of the rate while it thinks',
    chunks: [
      ...thinking,
      event(failureBody(429, 'RESOURCE_EXHAUSTED', 'Slow down.', [retryInfo('7s')])),
    ],
    ends: { error: { reason: 'rate-limit', status: 429, retryAfterMs: 7000 } },
  },
];
