export { demoRoutes } from './demo-routes.ts';
export { environmentModel } from './environment-model.ts';
export type { Saying } from './saying.ts';
export { call, readObject } from './script.ts';
export type { Conversation, Reply, Script, ToolExchange } from './script.ts';
