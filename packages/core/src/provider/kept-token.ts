/** A token is renewed this long before it expires, so that none expires on its way. */
const marginMs = 2 * 60_000;

export interface Token {
  readonly token: string;
  /** Milliseconds since 1970; 0 where the credential keeps its tokens itself. */
  readonly expiresOnTimestamp: number;
}

export interface GivenToken {
  readonly token: string;
  /** It was got for this call: asking again would bring no better one. */
  readonly fresh: boolean;
}

/** Tokens of a credential, kept until shortly before they expire. */
export interface KeptToken {
  /** The token, asked for once however many calls need it at the same time. Rejects with what `refused()` made. */
  get(): Promise<GivenToken>;
  /** Forgets this token, if it is still the one that is kept: the server refused it. */
  drop(token: string): void;
}

/**
 * Keeps the token of a credential.
 *
 * @param ask Asks the credential; null or an empty token where it gives none.
 * @param refused The error for a credential that "failed" or "gave none". What the credential said is not handed on: it
 *   can quote secrets, accounts and command lines.
 */
export function keptToken(
  ask: () => Promise<Token | null>,
  refused: (what: string) => Error,
): KeptToken {
  let kept: Token | undefined;
  let asking: Promise<GivenToken> | undefined;

  async function renew(): Promise<GivenToken> {
    const answer = await ask().catch((cause: unknown) => {
      throw refused(
        `failed${cause instanceof Error && cause.name !== 'Error' ? ` (${cause.name})` : ''}`,
      );
    });
    if (answer === null || answer.token === '') throw refused('gave none');
    kept = answer;
    return { token: answer.token, fresh: true };
  }

  return {
    async get() {
      if (kept !== undefined && kept.expiresOnTimestamp - marginMs > Date.now()) {
        return { token: kept.token, fresh: false };
      }
      asking ??= renew().finally(() => (asking = undefined));
      return asking;
    },
    drop(token) {
      if (kept?.token === token) kept = undefined;
    },
  };
}
