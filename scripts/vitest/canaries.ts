/**
 * What tests put into keys, headers, cookies, URLs and the environment to see where it comes out. None of it may ever
 * be in a journal or in what the suite prints. Claims that `authenticate` selected are kept with a run, and nowhere else.
 */
export const canaries =
  /sk-canary-|canary-(?:good|wrong|url|key)|canary-[a-z0-9]+-(?:header|cookie|trace|environment|instructions)/;

/** Claims that tests select. */
export const claimCanaries = /canary-9b1|canary-[a-z0-9]+-claim/;
