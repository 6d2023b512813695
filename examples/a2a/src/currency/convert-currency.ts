import { askForInput, tool } from '@agent-functions/core';
import { z } from 'zod';
import { convert, currencies } from './rates.ts';

export const convert_currency = tool({
  name: 'convert_currency',
  description: `Converts an amount of money. Currencies: ${currencies.join(', ')}. Leave "to" out where nobody said it.`,
  parameters: z.object({
    amount: z.number().positive(),
    from: z.string(),
    to: z.string().optional(),
  }),
  effect: 'read',
  execute({ amount, from, to }, { answer }) {
    const target = to ?? currencyIn(answer);
    // Whoever sent the task is asked: a person, or another agent.
    if (target === undefined) {
      return askForInput({
        message: `Into which currency? One of ${currencies.join(', ')}.`,
        schema: { type: 'string', enum: currencies },
      });
    }
    return { amount, from, to: target, result: convert(amount, from, target) };
  },
});

function currencyIn(answer: unknown): string | undefined {
  const said = typeof answer === 'string' ? answer.toUpperCase() : '';
  return currencies.find((one) => said.includes(one));
}
