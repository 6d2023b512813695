import { Agent } from '@agent-functions/core';
import { environmentModel } from 'demo-model';
import { refundScript } from './demo-script.ts';
import { find_order } from './tools/find-order.ts';
import { refund_order } from './tools/refund-order.ts';

export const refund_desk = new Agent({
  name: 'refund_desk',
  description: 'Refunds orders, when somebody has approved it.',
  instructions:
    'You refund orders. Look the order up first, then refund what it cost. A person approves every refund and may change the amount: tell the customer what was really paid back.',
  model: environmentModel(refundScript),
  tools: [find_order, refund_order],
});
