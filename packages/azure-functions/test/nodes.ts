/** The Nodes that tests of built code run on: this one, and those in `NODES`, which `npm run test:nodes` sets. */
export const nodes: readonly string[] = [
  process.execPath,
  ...(process.env['NODES'] ?? '').split(':').filter(Boolean),
];
