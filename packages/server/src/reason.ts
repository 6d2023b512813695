import { AgentError, type ErrorCode, type JsonObject } from '@agent-functions/core';

/** Of these the sentence says all; a stack would bury it. */
const plainCodes: ReadonlySet<string> = new Set<ErrorCode>([
  'not_configured',
  'store_full',
  'store_unavailable',
]);

/** An error as fields of the log. */
export function reasonOf(error: unknown): JsonObject {
  if (!(error instanceof Error)) return { error: String(error) };
  if (AgentError.isInstance(error) && plainCodes.has(error.code))
    return { code: error.code, error: error.message };
  return { error: `${error.name}: ${error.message}`, ...(error.stack && { stack: error.stack }) };
}
