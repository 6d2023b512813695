// Asks the six, and writes what was printed into the README.
import { readFileSync, writeFileSync } from 'node:fs';
import { printedBy, readme } from './printed.ts';

const printed = await printedBy(['src/start.ts']);
writeFileSync(
  readme,
  readFileSync(readme, 'utf8').replace(
    /(```text\n).*?(```)/s,
    (_, start, end) => `${start}${printed}${end}`,
  ),
);
