import { Agent } from '@agent-functions/core';
import { environmentModel } from 'demo-model';
import { currencyScript } from '../demo-script.ts';
import { convert_currency } from './convert-currency.ts';

export const currency_agent = new Agent({
  name: 'currency_agent',
  description: 'Converts amounts of money between currencies.',
  instructions: 'You convert amounts of money, always with your tool. Answer in one sentence.',
  model: environmentModel(currencyScript),
  tools: [convert_currency],
  exposeTools: true,
});
