import { tool } from '@agent-functions/core';
import { z } from 'zod';

interface Case {
  readonly id: string;
  readonly summary: string;
  readonly answerWithinHours: number;
}

// A real one would be a ticket system. It takes the key of the call, so that a call that is repeated opens one case.
const cases = new Map<string, Case>();

export const openCase = tool({
  name: 'open_case',
  description: 'Opens a case that a person answers.',
  parameters: z.object({ summary: z.string().min(1).max(2_000) }),
  effect: 'idempotent',
  execute: ({ summary }, { requestContext, idempotencyKey }) => {
    const known = cases.get(idempotencyKey);
    if (known !== undefined) return known;
    const opened = {
      id: `C-${cases.size + 1}`,
      summary,
      answerWithinHours: requestContext['customer_tier'] === 'vip' ? 1 : 4,
    };
    cases.set(idempotencyKey, opened);
    return opened;
  },
});
