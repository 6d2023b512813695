/**
 * Shows that each cure in `src` is needed: takes it out of a copy of the package, and sees the test of its trap fail.
 *
 * A cure stands between `// cure: <name>` and `// cure-end: <name>`; after a bar stands what would be there without it:
 * `// cure: <name> | <code>`. The tests of a cure are those with its words in their name.
 *
 * `npm run test:cures`, or `npm run test:cures -- trap-4` for some of them.
 */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const workplace = join(root, '.cures');

/** What the tests of a cure have in their name. */
const testsOf: Readonly<Record<string, string>> = {
  'trap-1': 'trap 1:',
  'trap-2': 'trap 2:',
  'trap-3': 'trap 3:',
  'trap-4': 'trap 4:',
  'trap-5': 'trap 5:',
  'trap-6': 'trap 6:',
  'trap-7': 'trap 7:',
  'trap-8': 'trap 8:',
  'set-cookie': 'keeps several cookies',
  'body-rest': 'a request whose body nobody wants',
  'esm-import': 'trap esm:',
  'second-copy': 'trap copy:',
};

const asked = process.argv.slice(2);
const names = Object.keys(testsOf).filter((name) => asked.length === 0 || asked.includes(name));
const marked = new Set(
  sources(join(root, 'src')).flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/\/\/ cure: (\S+)/g)].map((match) => match[1] ?? ''),
  ),
);
const unknown = [...marked].filter((name) => testsOf[name] === undefined);
const missing = names.filter((name) => !marked.has(name));
const problems = [
  ...unknown.map((name) => `The cure ${name} has no tests: name them in this script.`),
  ...missing.map((name) => `No file in src has a cure ${name}.`),
];

rmSync(workplace, { recursive: true, force: true });
try {
  const whole = testRun('whole', names, undefined);
  if (whole.status !== 0) {
    problems.push(`With all cures the tests fail:\n${whole.output}`);
  } else {
    for (const name of names.filter((each) => marked.has(each))) {
      const { status, output } = testRun(name, [name], name);
      const failed = /Tests\s+(\d+) failed/.exec(output)?.[1];
      if (status === 0 || failed === undefined) {
        problems.push(`Without ${name} no test fails:\n${output}`);
        console.log(`${name}: NOT NOTICED`);
      } else {
        console.log(
          `${name}: without it ${failed} ${failed === '1' ? 'test fails' : 'tests fail'}`,
        );
      }
    }
  }
} finally {
  rmSync(workplace, { recursive: true, force: true });
}
for (const problem of problems) console.error(problem);
process.exitCode = problems.length === 0 ? 0 : 1;

/** Runs the tests of these cures in a copy, without the cure `removed`. */
function testRun(
  folderName: string,
  cures: readonly string[],
  removed: string | undefined,
): { readonly status: number | null; readonly output: string } {
  const folder = join(workplace, folderName);
  mkdirSync(folder, { recursive: true });
  for (const part of ['src', 'test', 'package.json'])
    cpSync(join(root, part), join(folder, part), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(
    join(folder, 'vitest.config.ts'),
    "export { default } from '../../../../vitest.shared.ts';\n",
  );
  writeFileSync(
    join(folder, 'tsconfig.json'),
    '{ "extends": "../../../../tsconfig.base.json", "include": ["src", "test"] }\n',
  );
  if (removed !== undefined)
    for (const file of sources(join(folder, 'src')))
      writeFileSync(file, without(removed, readFileSync(file, 'utf8')));
  const pattern = cures.map((name) => testsOf[name]).join('|');
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [vitest(), 'run', '--root', folder, '--testNamePattern', pattern],
    {
      encoding: 'utf8',
      env: { ...process.env, NO_COLOR: '1', CI: '1' },
      cwd: folder,
    },
  );
  return { status, output: `${stdout}\n${stderr}` };
}

/** The source without this cure. */
function without(name: string, source: string): string {
  const block = new RegExp(
    `^[ \\t]*// cure: ${name}(?: \\| (.*))?\\n[\\s\\S]*?^[ \\t]*// cure-end: ${name}\\n`,
    'gm',
  );
  return source.replace(block, (_all, instead: string | undefined) =>
    instead === undefined ? '' : `${instead}\n`,
  );
}

function sources(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map((file) => join(folder, file));
}

function vitest(): string {
  return join(fileURLToPath(import.meta.resolve('vitest/package.json')), '../vitest.mjs');
}
