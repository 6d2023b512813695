export { azureAi, azureOpenAI, azureOpenai } from '@agent-functions/providers-openai';
export type {
  AzureAiOptions,
  AzureOpenAIOptions,
  CommonOptions,
  OpenAIApi,
  OpenAIClient,
} from '@agent-functions/providers-openai';
