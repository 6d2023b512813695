// Has the conversation of the example in the present folder, and writes it into its README.
import { readFileSync, writeFileSync } from 'node:fs';
import { printedByStart } from './testing.ts';

const folder = process.cwd();
const readme = `${folder}/README.md`;
const printed = await printedByStart(folder);
const block = /(```text\n).*?(```)/s;
writeFileSync(
  readme,
  readFileSync(readme, 'utf8').replace(block, (_, start, end) => `${start}${printed}${end}`),
);
