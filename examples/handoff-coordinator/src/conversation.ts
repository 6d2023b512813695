/** The conversation of the README, in one session. */
export const conversation = [
  'We are two people and want to go from Zurich to Copenhagen, 8 to 11 July 2027.',
  'And what about a trip to Chicago, 7 to 11 July 2027?',
] as const;
