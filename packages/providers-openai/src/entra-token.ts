import { ModelError, type TokenCredential } from '@agent-functions/core';

/** A token is renewed this long before it expires, so that none expires on its way. */
const marginMs = 2 * 60_000;

export interface GivenToken {
  readonly token: string;
  /** It was got for this call: no older one, that may have been revoked. */
  readonly fresh: boolean;
}

export interface EntraToken {
  /**
   * The token, asked for once however many requests need it at the same time.
   *
   * @throws ModelError `authentication` when the credential gives none.
   */
  get(): Promise<GivenToken>;
  /** Forgets this token: the server refused it. */
  drop(token: string): void;
}

/** Who is asked with the token. */
export interface TokenUse {
  readonly scope: string;
  readonly provider: 'azure_openai' | 'azure_ai';
}

/** Tokens of a credential, kept until shortly before they expire. */
export function entraToken(credential: TokenCredential, { scope, provider }: TokenUse): EntraToken {
  let kept: { readonly token: string; readonly expiresOnTimestamp: number } | undefined;
  let asking: Promise<GivenToken> | undefined;

  async function ask(): Promise<GivenToken> {
    const answer = await credential.getToken(scope).catch((cause: unknown) => {
      throw refused(
        `failed${cause instanceof Error && cause.name !== 'Error' ? ` (${cause.name})` : ''}`,
        provider,
      );
    });
    if (answer === null || answer.token === '') throw refused('gave none', provider);
    kept = answer;
    return { token: answer.token, fresh: true };
  }

  return {
    async get() {
      if (kept !== undefined && kept.expiresOnTimestamp - marginMs > Date.now()) {
        return { token: kept.token, fresh: false };
      }
      asking ??= ask().finally(() => (asking = undefined));
      return asking;
    },
    drop(token) {
      if (kept?.token === token) kept = undefined;
    },
  };
}

// The credential's own message is left out: it can quote secrets, tenants and command lines.
function refused(what: string, provider: TokenUse['provider']): ModelError {
  const who = provider === 'azure_ai' ? 'Azure AI' : 'Azure OpenAI';
  return new ModelError(
    `${who} was not asked: the credential was asked for a token and ${what}. Check the identity that this app runs as.`,
    { reason: 'authentication', provider },
  );
}
