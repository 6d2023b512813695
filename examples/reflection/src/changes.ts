export interface Change {
  readonly number: string;
  readonly what: string;
  /** Not for users. */
  readonly internal: boolean;
}

const changes: Readonly<Record<string, readonly Change[]>> = {
  '2.4': [
    {
      number: '#311',
      what: 'Notebooks can be exported as PDF, with their pictures and drawings',
      internal: false,
    },
    { number: '#318', what: 'An empty note no longer ends the app', internal: false },
    { number: '#320', what: 'The queue of the sync is written anew', internal: true },
    {
      number: '#324',
      what: 'The search finds words in pictures, and in what was written by hand',
      internal: false,
    },
  ],
  '2.5': [{ number: '#330', what: 'Notes can be pinned', internal: false }],
};

export function changesOf(version: string): readonly Change[] | undefined {
  return changes[version];
}

/** The version that a text names. */
export function versionIn(text: string): string | undefined {
  return /\b\d+\.\d+\b/.exec(text)?.[0];
}
