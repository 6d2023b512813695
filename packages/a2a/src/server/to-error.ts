import { AgentError } from '@agent-functions/core';
import { Refused } from './refused.ts';
import type { Call } from './scope.ts';
import type { Sdk } from './sdk.ts';

/** Whatever was thrown, as an error of the protocol. What it hides goes to the log. */
export function toA2AError(call: Pick<Call, 'sdk' | 'context'>, error: unknown): Error {
  const { errors } = call.sdk;
  if (error instanceof errors.A2AError) return error;
  if (error instanceof Refused) return refusal(call.sdk, error);
  const code = AgentError.isInstance(error) ? error.code : 'internal';
  const reason = error instanceof Error ? error.message : String(error);
  call.context.log('error', 'An A2A request failed', { code, error: reason });
  return new errors.A2AError({
    message: `The server failed. Its log has the reason (${call.context.invocationId}).`,
    metadata: { correlationId: call.context.invocationId },
  });
}

function refusal({ errors }: Sdk, { kind, message, metadata = {} }: Refused): Error {
  return new errors[`${kind}Error`]({ message, metadata });
}

/**
 * The HTTP status of an error (specification 5.4). A media type that is not taken is 415, as HTTP has it; readers tell
 * errors apart by their `reason`.
 */
export function statusOf({ errors }: Sdk, error: unknown): number {
  return error instanceof errors.ContentTypeNotSupportedError ? 415 : errors.restStatusFor(error);
}
