import { Agent } from '@agent-functions/core';
import { environmentModel } from 'demo-model';
import { salesScript } from '../demo-script.ts';
import { quotePlan } from '../tools/quote-plan.ts';

export const sales_agent = new Agent({
  name: 'sales_agent',
  description: 'Knows the plans and what they cost.',
  instructions:
    'You sell the plans of Lumo Notes: basic, team and business. Never name a price that your tool did not calculate.',
  model: environmentModel(salesScript),
  tools: [quotePlan],
  enableConversationalAgent: false,
});
