import { AgentFunctionApp } from '@agent-functions/azure-functions';
import { demoRoutes } from 'demo-model';
import { billing_agent } from './agents/billing-agent.ts';
import { customer_service } from './agents/customer-service.ts';
import { escalation_agent } from './agents/escalation-agent.ts';
import { sales_agent } from './agents/sales-agent.ts';
import { technical_agent } from './agents/technical-agent.ts';
import { conversation } from './conversation.ts';

// The same file under `agent-functions dev` and on Azure Functions. Customers write to the front desk only.
export const app = new AgentFunctionApp({
  agents: { customer_service, technical_agent, billing_agent, sales_agent, escalation_agent },
  routes: demoRoutes('/api/demo/customer-service', 'customer_service', conversation),
  httpAuthLevel: 'anonymous',
});
