import { tool } from '@agent-functions/core';
import { z } from 'zod';
import { payBack } from '../ledger.ts';

const day = 24 * 60 * 60 * 1_000;

/** Pays money back, when a person has said yes; whoever approves may change the amount. */
export const refund_order = tool({
  name: 'refund_order',
  description: 'Pays back what an order cost, or a part of it.',
  parameters: z.object({ order: z.number().int(), euros: z.number().positive() }),
  needsApproval: true,
  approvalTimeoutMs: 7 * day,
  // The bank knows the key: a repeat pays nothing more.
  effect: 'idempotent',
  execute: ({ order, euros }, { idempotencyKey }) => {
    const { receipt } = payBack(idempotencyKey, order, euros);
    return { receipt, order, euros };
  },
});
