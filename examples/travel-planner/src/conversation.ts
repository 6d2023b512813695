/** The conversation of the README, in one session. */
export const conversation = [
  'Plan a trip from Zurich to Copenhagen for two people, 9 to 12 July 2027. We have 1,200 EUR.',
  'And if we had only 700 EUR?',
] as const;
