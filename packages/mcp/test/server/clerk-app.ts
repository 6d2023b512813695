import { Agent, silentLogger, tool } from '@agent-functions/core';
import { scriptedModel } from '@agent-functions/core/testing';
import { agentServer } from '@agent-functions/server';
import { sqliteStore } from '@agent-functions/stores-sqlite';
import { z } from 'zod';
import { mcp } from '../../src/index.ts';

// An app with an agent that needs a person, on a store that several processes share.

const refund = tool({
  name: 'refund',
  description: 'Refunds an amount.',
  parameters: z.object({ amount: z.number() }),
  needsApproval: true,
  execute: ({ amount }) => `${amount} refunded by process ${process.pid}`,
});

const clerk = new Agent({
  name: 'clerk',
  description: 'Refunds money, after a person has agreed.',
  tools: [refund],
  model: scriptedModel(
    ({ messages }) => {
      const last = messages.at(-1);
      return last?.role === 'tool'
        ? 'It is refunded.'
        : { calls: [['refund', { amount: messages.length }]] };
    },
    { by: 'conversation' },
  ),
});

export const app = agentServer({
  agents: [clerk],
  store: sqliteStore(process.env['STORE'] ?? ':memory:'),
  protocols: [mcp()],
  logger: silentLogger,
});
