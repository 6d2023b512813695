import { ModelError, type TokenCredential } from '@agent-functions/core';

const scope = 'https://cognitiveservices.azure.com/.default';
/** A token is renewed this long before it expires, so that none expires on its way. */
const marginMs = 2 * 60_000;

export interface EntraToken {
  /**
   * The token, asked for once however many requests need it at the same time.
   *
   * @throws ModelError `authentication` when the credential gives none.
   */
  get(): Promise<string>;
  /** Forgets the token: the server refused it. */
  drop(): void;
}

/** Tokens of a credential, kept until shortly before they expire. */
export function entraToken(credential: TokenCredential): EntraToken {
  let kept: { readonly token: string; readonly expiresOnTimestamp: number } | undefined;
  let asking: Promise<string> | undefined;

  async function ask(): Promise<string> {
    const answer = await credential.getToken(scope).catch((cause: unknown) => {
      throw refused(
        `failed${cause instanceof Error && cause.name !== 'Error' ? ` (${cause.name})` : ''}`,
      );
    });
    if (answer === null || answer.token === '') throw refused('gave none');
    kept = answer;
    return answer.token;
  }

  return {
    async get() {
      if (kept !== undefined && kept.expiresOnTimestamp - marginMs > Date.now()) return kept.token;
      asking ??= ask().finally(() => (asking = undefined));
      return asking;
    },
    drop() {
      kept = undefined;
    },
  };
}

// The credential's own message is left out: it can quote secrets, tenants and command lines.
function refused(what: string): ModelError {
  return new ModelError(
    `Azure OpenAI was not asked: the credential was asked for a token and ${what}. Check the identity that this app runs as.`,
    { reason: 'authentication', provider: 'azure_openai' },
  );
}
