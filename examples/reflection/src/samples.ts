/** What the README asks, each of its agent. */
export const samples = [
  {
    agent: 'product_writer',
    message: [
      'Describe the Tern backpack in at most 16 words.',
      'Facts:',
      '- volume: 20 litres',
      '- weight: 480 g',
      '- fabric: recycled nylon',
      '- warranty: 5 years',
    ].join('\n'),
  },
  { agent: 'release_writer', message: 'Write the release note of version 2.4.' },
] as const;
