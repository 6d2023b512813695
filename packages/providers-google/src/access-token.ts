import { ModelError } from '@agent-functions/core';
import { keptToken, type KeptToken, type Token } from '@agent-functions/core/provider';
import { provider, type GoogleCredential } from './options.ts';

/** The scope that Vertex AI asks for. */
const scope = 'https://www.googleapis.com/auth/cloud-platform';

/** Tokens of a credential, kept until shortly before they expire. */
export function accessToken(credential: GoogleCredential): KeptToken {
  return keptToken(() => tokenOf(credential), refused);
}

async function tokenOf(credential: GoogleCredential): Promise<Token | null> {
  if ('getToken' in credential) return credential.getToken(scope);
  const answer = await credential.getAccessToken();
  const token = typeof answer === 'object' ? answer?.token : answer;
  // Such a credential keeps its tokens itself.
  return typeof token === 'string' ? { token, expiresOnTimestamp: 0 } : null;
}

function refused(what: string): ModelError {
  return new ModelError(
    `Vertex AI was not asked: the credential was asked for a token and ${what}. Check the identity that this app runs as.`,
    { reason: 'authentication', provider },
  );
}
