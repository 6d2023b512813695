export { AgentFunctionApp } from './agent-function-app.ts';
export { AgentMode, LLMProvider } from './names.ts';
// The words of a handoffConfig, where users of the Python package look for them.
export {
  ControlReturn,
  HandoffMode,
  HandoffStrategy,
  type HandoffConfig,
  type HandoffTarget,
} from '@agent-functions/core';
export type { AgentFunctionAppOptions, FunctionAppOptions } from './options.ts';
export type { AuthLevel } from './function-plan.ts';
export type { EasyAuthOptions } from './easy-auth.ts';
