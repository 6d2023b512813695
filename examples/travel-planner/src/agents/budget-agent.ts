import { Agent } from '@agent-functions/core';
import { environmentModel } from 'demo-model';
import { budgetScript } from '../demo-script.ts';
import { checkBudget } from '../tools/check-budget.ts';

export const budget_agent = new Agent({
  name: 'budget_agent',
  description: 'Adds up what a trip costs and compares it with the budget.',
  instructions:
    'You write the plan of a trip from what the flight agent and the hotel agent answered: the trip, their lines as they are, and a line with the total. Add up with your tool, never by yourself, and say plainly when it is more than the budget.',
  model: environmentModel(budgetScript),
  tools: [checkBudget],
});
