/** The conversation of the README, in one session. */
export const conversation = [
  'What is the weather in Copenhagen?',
  'And in Fahrenheit?',
  'What should I wear there?',
  'And in Seattle?',
] as const;
