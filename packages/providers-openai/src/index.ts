export { azureAi, azureOpenAI, azureOpenAI as azureOpenai, openai } from './model.ts';
export type {
  AzureAiOptions,
  AzureOpenAIOptions,
  CommonOptions,
  OpenAIApi,
  OpenAIClient,
  OpenAIOptions,
} from './options.ts';
