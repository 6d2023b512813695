import { ModelError, type TokenCredential } from '@agent-functions/core';
import { keptToken, type KeptToken } from '@agent-functions/core/provider';

/** Who is asked with the token. */
export interface TokenUse {
  readonly scope: string;
  readonly provider: 'azure_openai' | 'azure_ai';
}

/** Tokens of a credential, kept until shortly before they expire. */
export function entraToken(credential: TokenCredential, { scope, provider }: TokenUse): KeptToken {
  return keptToken(
    () => credential.getToken(scope),
    (what) => refused(what, provider),
  );
}

function refused(what: string, provider: TokenUse['provider']): ModelError {
  const who = provider === 'azure_ai' ? 'Azure AI' : 'Azure OpenAI';
  return new ModelError(
    `${who} was not asked: the credential was asked for a token and ${what}. Check the identity that this app runs as.`,
    { reason: 'authentication', provider },
  );
}
