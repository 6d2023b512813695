import { ModelError } from '@agent-functions/core';
import { provider, type GoogleCredential } from './options.ts';

/** The scope that Vertex AI asks for. */
const scope = 'https://www.googleapis.com/auth/cloud-platform';
/** A token is renewed this long before it expires, so that none expires on its way. */
const marginMs = 2 * 60_000;

export interface AccessToken {
  /**
   * The token, asked for once however many requests need it at the same time.
   *
   * @throws ModelError `authentication` when the credential gives none.
   */
  get(): Promise<GivenToken>;
  /** Forgets this token, if it is still the one that is kept: the server refused it. */
  drop(token: string): void;
}

export interface GivenToken {
  readonly token: string;
  /** It was asked for just now: asking again would bring no better one. */
  readonly fresh: boolean;
}

interface Token {
  readonly token: string;
  /** Milliseconds since 1970; 0 where the credential keeps its tokens itself. */
  readonly expires: number;
}

/** Tokens of a credential, kept until shortly before they expire. */
export function accessToken(credential: GoogleCredential): AccessToken {
  let kept: Token | undefined;
  let asking: Promise<GivenToken> | undefined;

  async function ask(): Promise<GivenToken> {
    const answer = await tokenOf(credential).catch((cause: unknown) => {
      throw refused(
        `failed${cause instanceof Error && cause.name !== 'Error' ? ` (${cause.name})` : ''}`,
      );
    });
    if (answer === undefined) throw refused('gave none');
    kept = answer;
    return { token: answer.token, fresh: true };
  }

  return {
    async get() {
      if (kept !== undefined && kept.expires - marginMs > Date.now()) {
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

async function tokenOf(credential: GoogleCredential): Promise<Token | undefined> {
  if ('getToken' in credential) {
    const answer = await credential.getToken(scope);
    return answer === null || answer.token === ''
      ? undefined
      : { token: answer.token, expires: answer.expiresOnTimestamp };
  }
  const answer = await credential.getAccessToken();
  const token = typeof answer === 'object' ? answer?.token : answer;
  return typeof token !== 'string' || token === '' ? undefined : { token, expires: 0 };
}

// The credential's own message is left out: it can quote secrets, accounts and command lines.
function refused(what: string): ModelError {
  return new ModelError(
    `Vertex AI was not asked: the credential was asked for a token and ${what}. Check the identity that this app runs as.`,
    { reason: 'authentication', provider },
  );
}
