import { AgentFunctionApp } from '@agent-functions/azure-functions';
import { product_writer } from './agents/product-writer.ts';
import { release_writer } from './agents/release-writer.ts';
import { routes } from './routes.ts';

// The same file under `agent-functions dev` and on Azure Functions.
export const app = new AgentFunctionApp({
  agents: { product_writer, release_writer },
  routes,
  httpAuthLevel: 'anonymous',
});
