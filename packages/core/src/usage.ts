/**
 * Tokens and cost of one model call. `inputTokens` includes what was read from the vendor's cache (`cachedInputTokens`) and
 * written to it (`cacheWriteInputTokens`), `outputTokens` includes reasoning.
 */
export interface RequestUsage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly totalTokens: number;
  readonly cachedInputTokens?: number | undefined;
  readonly cacheWriteInputTokens?: number | undefined;
  readonly reasoningTokens?: number | undefined;
  readonly costUsd?: number | undefined;
}

/** One entry of `usage.perRequest`: which agent asked which model. */
export interface PerRequestUsage extends RequestUsage {
  readonly provider: string;
  readonly modelId: string;
  readonly agent: string;
}

/** The sum over a run, and each request of it. */
export interface Usage extends RequestUsage {
  readonly requests: number;
  readonly perRequest: readonly PerRequestUsage[];
}

export const noUsage: Usage = {
  requests: 0,
  inputTokens: 0,
  outputTokens: 0,
  totalTokens: 0,
  perRequest: [],
};

/** The sum of requests: optional counts are there when any request has them. */
export function sumUsage(perRequest: readonly PerRequestUsage[]): Usage {
  let inputTokens = 0;
  let outputTokens = 0;
  let totalTokens = 0;
  let cachedInputTokens: number | undefined;
  let cacheWriteInputTokens: number | undefined;
  let reasoningTokens: number | undefined;
  let costUsd: number | undefined;
  for (const one of perRequest) {
    inputTokens += one.inputTokens;
    outputTokens += one.outputTokens;
    totalTokens += one.totalTokens;
    if (one.cachedInputTokens !== undefined) {
      cachedInputTokens = (cachedInputTokens ?? 0) + one.cachedInputTokens;
    }
    if (one.cacheWriteInputTokens !== undefined) {
      cacheWriteInputTokens = (cacheWriteInputTokens ?? 0) + one.cacheWriteInputTokens;
    }
    if (one.reasoningTokens !== undefined) {
      reasoningTokens = (reasoningTokens ?? 0) + one.reasoningTokens;
    }
    if (one.costUsd !== undefined) costUsd = (costUsd ?? 0) + one.costUsd;
  }
  return {
    requests: perRequest.length,
    inputTokens,
    outputTokens,
    totalTokens,
    ...(cachedInputTokens === undefined ? {} : { cachedInputTokens }),
    ...(cacheWriteInputTokens === undefined ? {} : { cacheWriteInputTokens }),
    ...(reasoningTokens === undefined ? {} : { reasoningTokens }),
    ...(costUsd === undefined ? {} : { costUsd }),
    perRequest,
  };
}
