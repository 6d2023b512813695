import type { ModelErrorReason } from '../errors.ts';

/** The key that a harness gives its model. It must show nowhere but in the request's headers. */
export const contractSecret = 'sk-contract-9f8e7d6c5b4a39281706';

/** What the server answers to one request, in no vendor's words: a harness says it in its wire's. */
export type ServerReply = ServerAnswer | ServerFailure;

/** A 200, streamed, or in one piece where the request asks for that. */
export interface ServerAnswer {
  readonly type: 'answer';
  /** Each a chunk of its own. */
  readonly text?: readonly string[] | undefined;
  /** `id` undefined: the server sends none. `input` is sent as it is, in two chunks or more. */
  readonly calls?:
    | readonly {
        readonly id?: string | undefined;
        readonly toolName: string;
        readonly input: string;
      }[]
    | undefined;
  /** A refusal in the vendor's own field; wires without one except the scenario. */
  readonly refusal?: string | undefined;
  readonly finish: 'stop' | 'tool-calls' | 'length' | 'content-filter';
  readonly usage?:
    | {
        /** Cached ones included. */
        readonly inputTokens: number;
        /** Reasoning included. */
        readonly outputTokens: number;
        readonly cachedInputTokens?: number | undefined;
        readonly reasoningTokens?: number | undefined;
      }
    | undefined;
  /** Events and fields that no version of the API has yet, between the known ones. */
  readonly unknownEvents?: boolean | undefined;
  /** Sent so many chunks, the server waits for `until` (0: before the first byte). */
  readonly pause?:
    | { readonly afterChunks: number; readonly until: PromiseLike<unknown> }
    | undefined;
  /** The connection is destroyed after so many chunks. */
  readonly cutAfterChunks?: number | undefined;
  /** The body ends, properly, with nothing in it. */
  readonly empty?: boolean | undefined;
}

/** Any other status, with the error body that the vendor sends for this reason. */
export interface ServerFailure {
  readonly type: 'failure';
  readonly status: number;
  readonly reason: ModelErrorReason;
  /** To be in the vendor's error message; holds `contractSecret` where the vendor is known to repeat it. */
  readonly message: string;
  readonly retryAfterSeconds?: number | undefined;
}

/** What one test of the contract plays. Requests after the last reply get the last one again. */
export interface ModelScenario {
  readonly name: ModelScenarioName;
  readonly replies: readonly ServerReply[];
}

export type ModelScenarioName =
  | 'text'
  | 'deltas-as-they-come'
  | 'one-piece'
  | 'parallel-tools'
  | 'missing-ids'
  | 'repeated-ids'
  | 'invalid-arguments'
  | 'structured-output'
  | 'usage-details'
  | 'length'
  | 'refusal'
  | 'filtered-answer'
  | 'unknown-events'
  | 'authentication'
  | 'permission'
  | 'invalid-request'
  | 'context-length'
  | 'filtered-request'
  | 'rate-limit'
  | 'quota'
  | 'server-error'
  | 'overloaded'
  | 'cut'
  | 'empty'
  | 'no-server'
  | 'slow-first-byte'
  | 'abort'
  | 'leave'
  | 'aborted-before'
  | 'tool-round-trip'
  | 'history';
