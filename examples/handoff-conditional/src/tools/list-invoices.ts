import { tool } from '@agent-functions/core';
import { z } from 'zod';

interface Invoice {
  readonly month: string;
  readonly items: readonly { readonly what: string; readonly eur: number }[];
}

const invoices: Readonly<Record<string, readonly Invoice[]>> = {
  'AC-1042': [
    { month: '2027-05', items: [{ what: 'team plan, 2 people', eur: 24 }] },
    {
      month: '2027-06',
      items: [
        { what: 'team plan, 2 people', eur: 24 },
        { what: 'storage, 50 GB', eur: 9.5 },
      ],
    },
  ],
  'AC-2001': [{ month: '2027-06', items: [{ what: 'business plan, 40 people', eur: 720 }] }],
};

export const listInvoices = tool({
  name: 'list_invoices',
  description: 'The invoices of the customer, the oldest first.',
  // Whose they are is not for the model to say.
  parameters: z.object({}),
  effect: 'read',
  execute: (_, { requestContext }) => {
    const account = requestContext['account_id'];
    if (typeof account !== 'string') throw new Error('The request names no account.');
    return { invoices: invoices[account] ?? [] };
  },
});
