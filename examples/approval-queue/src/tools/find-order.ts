import { tool } from '@agent-functions/core';
import { z } from 'zod';

const orders = new Map([
  [1042, { article: 'a desk lamp', euros: 89, paid: true }],
  [1043, { article: 'a kettle', euros: 45, paid: true }],
]);

export const find_order = tool({
  name: 'find_order',
  description: 'What was ordered, and what it cost.',
  parameters: z.object({ order: z.number().int() }),
  effect: 'read',
  execute: ({ order }) => {
    const found = orders.get(order);
    if (found === undefined) throw new Error(`There is no order ${order}.`);
    return { order, ...found };
  },
});
