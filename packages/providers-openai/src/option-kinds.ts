import {
  commonKinds,
  oneOf,
  optionKinds,
  withMethods,
  type OptionKinds,
} from '@agent-functions/core/provider';

const { any, text, address } = optionKinds;

const kinds: OptionKinds = {
  ...commonKinds,
  api: oneOf('responses', 'chat'),
  organization: text,
  project: text,
  promptCacheKey: text,
  serviceTier: text,
  client: withMethods('a client of the openai SDK', ['post']),
};

const onlyAzure: OptionKinds = {
  azureEndpoint: address,
  deployment: any,
  azureDeployment: any,
  apiVersion: text,
  credential: withMethods('a credential', ['getToken']),
  scope: text,
};

/** What the options of `openai()` may be. */
export const openAIKinds: OptionKinds = kinds;

/** What the options of `azureOpenAI()` and `azureAi()` may be. */
export const azureKinds: OptionKinds = { ...kinds, ...onlyAzure };

/** What to write instead of an option that `openai()` does not have. */
export const azureHints: { readonly [name: string]: string } = Object.fromEntries(
  Object.keys(onlyAzure).map((name) => [
    name,
    "It belongs to Azure OpenAI. Use azureOpenAI(), or provider: 'azure_openai'.",
  ]),
);
