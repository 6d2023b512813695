import type { ModelErrorReason } from '../errors.ts';

/** The key that a harness gives its model. It must show nowhere but in the request's headers. */
export const contractSecret = 'sk-contract-9f8e7d6c5b4a39281706';

/** What the server answers to one request, in no vendor's words: a harness says it in its wire's. */
export type ServerReply = ServerAnswer | ServerFailure;

/** A 200, streamed, or in one piece where the request asks for that. */
export interface ServerAnswer {
  readonly type: 'answer';
  /**
   * What the model thought, before the text: its readable form in deltas, and the opaque proof (signature, encrypted
   * content) that this vendor wants back with it.
   */
  readonly reasoning?:
    | { readonly text: readonly string[]; readonly proof?: string | undefined }
    | undefined;
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
  /** `other`: a reason that no version of the API has yet. */
  readonly finish: 'stop' | 'tool-calls' | 'length' | 'content-filter' | 'other';
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
  /** The server counts nothing: no usage in the answer at all. */
  readonly noUsage?: boolean | undefined;
  /** Events and fields that no version of the API has yet, between the known ones. */
  readonly unknownEvents?: boolean | undefined;
  /** Sent so many chunks, the server waits for `until` (0: before the first byte, of an answer in one piece too). */
  readonly pause?:
    | { readonly afterChunks: number; readonly until: PromiseLike<unknown> }
    | undefined;
  /** Comments or pings before and between the chunks, as the vendor or a proxy sends them to keep a connection. */
  readonly keepAlive?: boolean | undefined;
  /** The bytes of the whole body go out in writes of this many, through the middle of letters. Default: one per chunk. */
  readonly bytesPerWrite?: number | undefined;
  /**
   * The connection is destroyed after so many chunks (0: after the headers). A number from the count of chunks on cuts
   * nothing.
   */
  readonly cutAfterChunks?: number | undefined;
  /** The body ends, properly, after so many chunks: what a proxy does that loses its server. */
  readonly endAfterChunks?: number | undefined;
  /** The vendor's error inside a stream that began with 200, after so many chunks; nothing follows it. */
  readonly failure?:
    | {
        readonly afterChunks: number;
        readonly reason: ModelErrorReason;
        readonly message: string;
      }
    | undefined;
  /** The body ends, properly, with nothing in it. */
  readonly empty?: boolean | undefined;
  /** A page of HTML with status 200 instead of an answer: the wrong address, or a portal in between. */
  readonly page?: boolean | undefined;
}

/** Any other status, with the error body that the vendor sends for this reason. */
export interface ServerFailure {
  readonly type: 'failure';
  readonly status: number;
  readonly reason: ModelErrorReason;
  /** To be in the vendor's error message; holds `contractSecret` where the vendor is known to repeat it. */
  readonly message: string;
  readonly retryAfterSeconds?: number | undefined;
  /** The value of `Retry-After` as an HTTP date. */
  readonly retryAfterDate?: string | undefined;
  /** The body is a page of a proxy, not the vendor's. */
  readonly page?: boolean | undefined;
}

/** What one test of the contract plays. Requests after the last reply get the last one again. */
export interface ModelScenario {
  readonly name: ModelScenarioName;
  readonly replies: readonly ServerReply[];
}

/** The cases of the contract. */
export type ModelScenarioName =
  // Answers
  | 'text'
  | 'deltas-as-they-come'
  | 'one-piece'
  | 'unicode-bytes'
  | 'keep-alive'
  | 'slow-answer'
  | 'long-answer'
  | 'exact-text'
  | 'nothing-said'
  | 'unknown-events'
  | 'concurrent'
  // Tools
  | 'one-tool'
  | 'text-and-tool'
  | 'parallel-tools'
  | 'missing-ids'
  | 'repeated-ids'
  | 'tools-unused'
  | 'invalid-arguments'
  | 'empty-arguments'
  | 'nested-arguments'
  | 'forced-tool'
  | 'required-tool'
  | 'forbidden-tools'
  | 'parallel-off'
  | 'tool-round-trip'
  | 'tool-error'
  | 'tool-image'
  // Form and reasoning
  | 'structured-output'
  | 'structured-output-one-piece'
  | 'structured-output-with-tools'
  | 'reasoning'
  | 'reasoning-one-piece'
  | 'reasoning-round-trip'
  | 'reasoning-with-tools'
  // Endings and usage
  | 'length'
  | 'length-in-a-call'
  | 'refusal'
  | 'filtered-answer'
  | 'unknown-finish'
  | 'usage-details'
  | 'usage-one-piece'
  | 'usage-none'
  // Requests
  | 'instructions'
  | 'system-message'
  | 'sampling'
  | 'max-tokens'
  | 'stop'
  | 'provider-options'
  | 'exact-request'
  | 'frozen-request'
  | 'stable-bytes'
  | 'image-data'
  | 'image-url'
  | 'document'
  | 'odd-file'
  | 'foreign-file'
  // History
  | 'history'
  | 'long-history'
  | 'same-role-twice'
  | 'assistant-first'
  | 'empty-texts'
  | 'foreign-reasoning'
  // Failures
  | 'authentication'
  | 'permission'
  | 'not-found'
  | 'invalid-request'
  | 'too-large'
  | 'context-length'
  | 'filtered-request'
  | 'rate-limit'
  | 'rate-limit-date'
  | 'rate-limit-silent'
  | 'quota'
  | 'server-error'
  | 'bad-gateway'
  | 'overloaded'
  | 'gateway-timeout'
  | 'failure-one-piece'
  | 'failure-in-stream'
  | 'after-failure'
  | 'cut'
  | 'cut-anywhere'
  | 'end-anywhere'
  | 'empty'
  | 'page'
  | 'no-server'
  // Readers who stop
  | 'aborted-before'
  | 'slow-first-byte'
  | 'abort'
  | 'abort-one-piece'
  | 'abort-after'
  | 'leave';
