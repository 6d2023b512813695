export { azureOpenAI, azureOpenAI as azureOpenai, openai } from './model.ts';
export type {
  AzureOpenAIOptions,
  CommonOptions,
  OpenAIApi,
  OpenAIClient,
  OpenAIOptions,
} from './options.ts';
