export { AgentFunctionApp } from './agent-function-app.ts';
export { AgentMode, LLMProvider } from './names.ts';
export type { AgentFunctionAppOptions, FunctionAppOptions } from './options.ts';
export type { AuthLevel } from './function-plan.ts';
export type { EasyAuthOptions } from './easy-auth.ts';
