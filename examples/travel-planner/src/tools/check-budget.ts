import { tool } from '@agent-functions/core';
import { z } from 'zod';

export const checkBudget = tool({
  name: 'check_budget',
  description: 'Adds up what a trip costs and compares it with the budget. All amounts in EUR.',
  parameters: z.object({
    budgetEur: z.number().positive(),
    costs: z.array(z.object({ what: z.string(), priceEur: z.number().min(0) })).min(1),
    days: z.int().min(1),
    travellers: z.int().min(1),
  }),
  effect: 'read',
  execute: ({ budgetEur, costs, days, travellers }) => {
    const totalEur = costs.reduce((sum, { priceEur }) => sum + priceEur, 0);
    const leftEur = budgetEur - totalEur;
    return {
      totalEur,
      leftEur,
      fits: leftEur >= 0,
      // What is left for meals and tickets, for each of them.
      dailyEurEach: leftEur > 0 ? Math.floor(leftEur / days / travellers) : 0,
    };
  },
});
