import { Agent } from '@agent-functions/core';
import { environmentModel } from 'demo-model';
import { billingScript } from '../demo-script.ts';
import { listInvoices } from '../tools/list-invoices.ts';
import { told } from './told.ts';

export const billing_agent = new Agent({
  name: 'billing_agent',
  description: 'Explains invoices, charges and payments.',
  instructions: ({ requestContext }) =>
    `You explain the invoices of Lumo Notes, from what your tool says. The customer is ${told(requestContext, 'customer_name')}, account ${told(requestContext, 'account_id')}.`,
  model: environmentModel(billingScript),
  tools: [listInvoices],
  enableConversationalAgent: false,
});
