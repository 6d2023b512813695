import { tool } from '@agent-functions/core';
import { z } from 'zod';

const eurPerPerson = { basic: 5, team: 12, business: 18 } as const;

export const quotePlan = tool({
  name: 'quote_plan',
  description: 'What a plan costs a month, with the discount of this customer.',
  parameters: z.object({
    plan: z.enum(['basic', 'team', 'business']),
    people: z.int().min(1).max(10_000),
  }),
  effect: 'read',
  execute: ({ plan, people }, { requestContext }) => {
    const discountPercent = requestContext['customer_tier'] === 'plus' ? 10 : 0;
    const cents = eurPerPerson[plan] * people * (100 - discountPercent);
    return { plan, people, discountPercent, eurPerMonth: cents / 100 };
  },
});
