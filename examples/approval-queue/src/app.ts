import { AgentFunctionApp } from '@agent-functions/azure-functions';
import { refund_desk } from './agent.ts';
import { queueRoute } from './queue-route.ts';
import { store } from './store.ts';

// The same file under `agent-functions dev` and on Azure Functions.
export const app = new AgentFunctionApp({
  agents: { refund_desk },
  store,
  routes: [queueRoute(store)],
  httpAuthLevel: 'anonymous',
});
