import { remoteAgent } from '@agent-functions/a2a';
import { Agent, handoff } from '@agent-functions/core';
import { environmentModel } from 'demo-model';
import { travelScript } from '../demo-script.ts';

/** Works in another process, perhaps of another company. */
const currency_agent = remoteAgent(
  process.env['CURRENCY_AGENT_URL'] ?? 'http://127.0.0.1:7072/a2a/currency_agent',
  {
    name: 'currency_agent',
    description: 'Converts amounts of money between currencies.',
  },
);

export const travel_agent = new Agent({
  name: 'travel_agent',
  description: 'Plans trips.',
  instructions:
    'You plan trips. Hand over what is about money in other currencies to the currency agent, and say in the message all that it needs to know.',
  model: environmentModel(travelScript),
  // It reads what it is told, and nothing else of the conversation.
  handoffs: [handoff(currency_agent, { history: 'none' })],
});
