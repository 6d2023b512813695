// A process that serves a clerk who asks before refunding, by a clock that is so much later. The first line says where.
import { Agent, jsonSchema, tool } from '@agent-functions/core';
import { scriptedModel } from '@agent-functions/core/testing';
import { agentServer } from '../../../server/src/index.ts';
import { serve } from '../../../server/src/node/index.ts';
import { sqliteStore } from '../../src/index.ts';

const [, , path = '', laterMs = '0'] = process.argv;
const now = (): number => Date.now() + Number(laterMs);

const refund = tool({
  name: 'refund',
  description: 'Refunds',
  parameters: jsonSchema<{ readonly amount: number }>(
    { type: 'object', properties: { amount: { type: 'number' } }, required: ['amount'] },
    {
      validate(value) {
        if (typeof value === 'object' && value !== null && 'amount' in value) {
          const { amount } = value;
          if (typeof amount === 'number') return { amount };
        }
        throw new Error('amount must be a number');
      },
    },
  ),
  // Whoever has begun it may be gone before it is recorded.
  effect: 'idempotent',
  needsApproval: true,
  approvalTimeoutMs: 7 * 86_400_000,
  execute: ({ amount }) => ({ refunded: amount }),
});
const model = scriptedModel([{ calls: [['refund', { amount: 100 }]] }, 'Done.'], {
  by: 'conversation',
});
const server = agentServer({
  agents: [new Agent({ name: 'clerk', model, tools: [refund] })],
  store: sqliteStore({ path, synchronous: 'normal', now }),
  leaseMs: 1_000,
});
const { url } = await serve(server, { port: 0 });
console.log(url);
