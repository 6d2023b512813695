import { Agent } from '@agent-functions/core';
import { environmentModel } from 'demo-model';
import { escalationScript } from '../demo-script.ts';
import { openCase } from '../tools/open-case.ts';
import { told } from './told.ts';

export const escalation_agent = new Agent({
  name: 'escalation_agent',
  description: 'Brings people in: angry customers, important customers.',
  instructions: ({ requestContext }) =>
    `You open a case for a person to answer, with a summary of the whole conversation, and say when the answer comes. The customer is ${told(requestContext, 'customer_name')} (${told(requestContext, 'customer_tier', 'standard')}).`,
  model: environmentModel(escalationScript),
  tools: [openCase],
  enableConversationalAgent: false,
});
