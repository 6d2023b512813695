import { Agent, HandoffMode, type HandoffRequest } from '@agent-functions/core';
import { environmentModel } from 'demo-model';
import { frontDeskScript } from '../demo-script.ts';
import { billing_agent } from './billing-agent.ts';
import { escalation_agent } from './escalation-agent.ts';
import { sales_agent } from './sales-agent.ts';
import { technical_agent } from './technical-agent.ts';
import { withoutAccounts } from './without-accounts.ts';

export const customer_service = new Agent({
  name: 'customer_service',
  description: 'The front desk of Lumo Notes, an app for notes.',
  instructions:
    'You are the front desk of Lumo Notes, an app for notes. You greet, and you answer what is about Lumo Notes itself. Support is open Monday to Friday, 8:00 to 18:00 UTC. Others take what is technical, about invoices or about plans before you see it.',
  model: environmentModel(frontDeskScript),
  handoffConfig: {
    mode: HandoffMode.CONDITIONAL,
    // In this order, the first that holds; none: the front desk answers itself.
    targets: [
      { agent: escalation_agent, condition: needsSenior },
      {
        agent: technical_agent,
        condition: 'Something does not work, or the customer asks how to do something in the app.',
        contextKeys: ['app_version'],
        history: withoutAccounts,
      },
      {
        agent: billing_agent,
        condition: 'It is about an invoice, a charge, a payment or a refund.',
        contextKeys: ['account_id', 'customer_name'],
      },
      {
        agent: sales_agent,
        condition: 'The customer asks about plans and prices, or wants to buy or upgrade.',
        contextKeys: ['customer_tier'],
        history: withoutAccounts,
      },
    ],
  },
});

/** A condition as a function: no model is asked. */
function needsSenior({ message, requestContext }: HandoffRequest<unknown>): boolean {
  return requestContext['customer_tier'] === 'vip' || soundsAngry(message);
}

function soundsAngry(message: string): boolean {
  return /\b(?:angry|furious|unacceptable|ridiculous|outrageous|lawyer)\b|!!/i.test(message);
}
