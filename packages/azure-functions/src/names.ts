/** How an app serves its agents. `'a2a'` registers the routes of its protocols only. */
export const AgentMode = {
  AZURE_FUNCTION_AGENT: 'azure_function_agent',
  A2A: 'a2a',
} as const;
export type AgentMode = (typeof AgentMode)[keyof typeof AgentMode];

/** The providers that an `LLMConfig` names. */
export const LLMProvider = {
  OPENAI: 'openai',
  AZURE_OPENAI: 'azure_openai',
  ANTHROPIC: 'anthropic',
  GOOGLE: 'google',
  OLLAMA: 'ollama',
  AZURE_AI: 'azure_ai',
} as const;
export type LLMProvider = (typeof LLMProvider)[keyof typeof LLMProvider];
