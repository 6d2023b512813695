/** One event of `streamGenerateContent?alt=sse`: a `GenerateContentResponse` (https://ai.google.dev/api/generate-content). */
export function event(data: unknown): string {
  return `data: ${JSON.stringify(data)}\r\n\r\n`;
}

export const names = { responseId: 'resp_1', modelVersion: 'gemini-3.8-flash-001' } as const;

/** A chunk with parts. */
export function chunk(parts: readonly object[], more: object = {}): string {
  return event({
    candidates: [{ content: { parts, role: 'model' }, index: 0 }],
    ...names,
    ...more,
  });
}

/** The last chunk: why it ended, and what it cost. */
export function last(
  finishReason: string,
  parts: readonly object[] = [{ text: '' }],
  more: object = { usageMetadata: usage },
): string {
  return event({
    candidates: [{ content: { parts, role: 'model' }, finishReason, index: 0 }],
    ...names,
    ...more,
  });
}

/** Thoughts are not among the candidates' tokens, and the prompt's hold the cached ones (the SDK's types). */
export const usage = {
  promptTokenCount: 20,
  candidatesTokenCount: 6,
  thoughtsTokenCount: 4,
  cachedContentTokenCount: 8,
  totalTokenCount: 30,
  promptTokensDetails: [{ modality: 'TEXT', tokenCount: 20 }],
};

/** The parts of an answer that thinks, says something (with letters of several bytes) and calls two tools. */
export const parts = {
  thoughts: [
    { text: '**Weather**\n\nThey want ', thought: true },
    { text: 'weather.', thought: true },
  ],
  texts: [{ text: 'It is ' }, { text: '21 °C — 晴れ 🌤' }],
  calls: [
    {
      functionCall: { name: 'weather', args: { city: 'Köln' }, id: 'call_a' },
      thoughtSignature: 'c2lnbmF0dXJlLWE=',
    },
    { functionCall: { name: 'clock', args: { zone: 'CET' }, id: 'call_b' } },
  ],
} as const;

export const answer: readonly string[] = [
  chunk([parts.thoughts[0]], { usageMetadata: { promptTokenCount: 20, totalTokenCount: 20 } }),
  chunk([parts.thoughts[1]]),
  chunk([parts.texts[0]]),
  chunk([parts.texts[1]]),
  chunk([parts.calls[0]]),
  chunk([parts.calls[1]]),
  last('STOP'),
];

/** The same answer in one piece. */
export const body = {
  candidates: [
    {
      content: { role: 'model', parts: [...parts.thoughts, ...parts.texts, ...parts.calls] },
      finishReason: 'STOP',
      index: 0,
    },
  ],
  usageMetadata: usage,
  ...names,
};

/** An error as Google's APIs word it (https://cloud.google.com/apis/design/errors). */
export function failureBody(
  code: number,
  status: string,
  message: string,
  details: readonly object[] = [],
): { readonly error: object } {
  return { error: { code, message, status, ...(details.length === 0 ? {} : { details }) } };
}

export const retryInfo = (delay: string): object => ({
  '@type': 'type.googleapis.com/google.rpc.RetryInfo',
  retryDelay: delay,
});

export const quotaFailure = (quotaId: string): object => ({
  '@type': 'type.googleapis.com/google.rpc.QuotaFailure',
  violations: [
    {
      quotaMetric: 'generativelanguage.googleapis.com/generate_content_free_tier_requests',
      quotaId,
      quotaDimensions: { location: 'global', model: 'gemini-3.8-flash' },
      quotaValue: '250',
    },
  ],
});

export const errorInfo = (reason: string): object => ({
  '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
  reason,
  domain: 'googleapis.com',
  metadata: { service: 'generativelanguage.googleapis.com' },
});
