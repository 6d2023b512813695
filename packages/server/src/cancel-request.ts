import type { Json } from '@agent-functions/core';
import { objectAt, textAt, type ObjectSchema } from './fields.ts';

const maxLength = 1_000;

/** The body of POST …/cancel; it may be left out. */
export const cancelSchema = {
  type: 'object',
  properties: { reason: { type: 'string', maxLength } },
  additionalProperties: false,
} as const satisfies ObjectSchema;

/** Why a run is cancelled, if the caller says. @throws Problem 400 */
export function reasonIn(body: Json | undefined): string | undefined {
  if (body === undefined) return undefined;
  const { reason } = objectAt(body, 'The body', cancelSchema);
  return reason === undefined ? undefined : textAt(reason, 'reason', { maxLength });
}
