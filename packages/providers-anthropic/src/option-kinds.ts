import {
  commonKinds,
  oneOf,
  optionKinds,
  withMethods,
  type OptionKinds,
} from '@agent-functions/core/provider';

/** What the options of `anthropic()` may be. */
export const anthropicKinds: OptionKinds = {
  ...commonKinds,
  deployment: optionKinds.any,
  betas: optionKinds.texts,
  promptCaching: oneOf(true, false, '5m', '1h'),
  client: withMethods('a client of the SDK', ['post']),
};

/** Names of an `LLMConfig` that belong to other vendors, and what to write here. */
export const elsewhere: { readonly [name: string]: string } = {
  apiVersion: "Another version of the API goes into headers: { 'anthropic-version': '…' }.",
  organization: 'A key of Anthropic belongs to one organization already.',
  credential:
    'For Entra ID make an AnthropicFoundry of @anthropic-ai/foundry-sdk and pass it as client.',
};
