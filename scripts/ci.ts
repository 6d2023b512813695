/** Runs every check one after the other and adds them up; `.ci/run` installs and calls this. */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run, tail } from './lib/processes.ts';
import { root, toolEnvironment } from './lib/workspace.ts';
import { canaries } from './vitest/canaries.ts';

interface Count {
  readonly passed: number;
  readonly failed: number;
}

interface Step {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  readonly timeoutMs?: number;
  /** File in which vitest leaves its results: the step then counts as its tests. */
  readonly results?: string;
}

const temporary = join(tmpdir(), `agent-functions-ci-${process.pid}`);
const journals = join(temporary, 'journals');
const minute = 60_000;

const vitest = (name: string): readonly string[] => [
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${join(temporary, name)}`,
];

// Cheap ones first; what needs built packages comes after the build.
const steps: readonly Step[] = [
  { name: 'format', command: ['pnpm', 'run', 'format:check'] },
  { name: 'lint, with types', command: ['pnpm', 'run', 'lint'] },
  { name: 'imports', command: ['pnpm', 'run', 'check:imports'] },
  { name: 'unused code and dependencies', command: ['pnpm', 'run', 'knip'] },
  { name: 'types', command: ['pnpm', 'run', 'typecheck'], timeoutMs: 5 * minute },
  {
    name: 'tests',
    command: ['npm', 'test', '--', ...vitest('tests.json')],
    timeoutMs: 12 * minute,
    results: join(temporary, 'tests.json'),
  },
  { name: 'build', command: ['pnpm', 'run', 'build'], timeoutMs: 5 * minute },
  {
    name: 'packages (publint, attw)',
    command: ['pnpm', 'run', 'pack:check'],
    timeoutMs: 5 * minute,
  },
  { name: 'API reports', command: ['pnpm', 'run', 'api:check'], timeoutMs: 5 * minute },
  {
    name: 'budgets',
    command: ['pnpm', 'run', 'budgets:run', ...vitest('budgets.json')],
    timeoutMs: 5 * minute,
    results: join(temporary, 'budgets.json'),
  },
  { name: 'examples', command: ['pnpm', 'run', 'check:examples'], timeoutMs: 5 * minute },
  { name: 'READMEs', command: ['pnpm', 'run', 'check:readmes'], timeoutMs: 5 * minute },
  { name: 'tarballs', command: ['pnpm', 'run', 'check:tarballs'], timeoutMs: 5 * minute },
  {
    name: 'Functions traps (each cure removed, its test fails)',
    command: ['pnpm', '--filter', '@agent-functions/azure-functions', 'run', 'test:cures'],
    timeoutMs: 8 * minute,
  },
  {
    name: 'Functions app on Node 22 and 24',
    command: ['pnpm', '--filter', '@agent-functions/azure-functions', 'run', 'test:nodes'],
    timeoutMs: 5 * minute,
  },
  { name: 'fresh clone', command: ['pnpm', 'run', 'check:fresh-clone'], timeoutMs: 10 * minute },
];

/** What vitest counted; a run that left no results, or failed outside of a test, failed once more. */
export function testCount(results: string, exitCode: number | null): Count {
  if (!existsSync(results)) return { passed: 0, failed: 1 };
  const { numPassedTests, numTotalTests }: { numPassedTests: number; numTotalTests: number } =
    JSON.parse(readFileSync(results, 'utf8'));
  // A skipped test is not one that passed.
  const failed = numTotalTests - numPassedTests;
  return { passed: numPassedTests, failed: failed === 0 && exitCode !== 0 ? 1 : failed };
}

/** The sum of the numbers in a file, one a line; 0 when nobody wrote it. */
export function sumOfLines(file: string): number {
  if (!existsSync(file)) return 0;
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  return lines.reduce((sum, line) => sum + Number(line), 0);
}

async function runStep({
  name,
  command: [command, ...args],
  timeoutMs,
  results,
}: Step): Promise<Count> {
  const started = Date.now();
  console.log(`\n=== ${name}`);
  const { code, output, timedOut } = await run(command, args, {
    cwd: root,
    env: { ...toolEnvironment, AGENT_FUNCTIONS_JOURNAL_COUNT: journals },
    timeoutMs: timeoutMs ?? 3 * minute,
    show: true,
  });
  const count =
    results === undefined
      ? { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1 }
      : testCount(results, code);
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  const ending = timedOut ? `stopped after ${seconds} s` : `${seconds} s`;
  console.log(`=== ${name}: ${count.passed} passed, ${count.failed} failed (${ending})`);
  if (count.failed > 0) failures.push(`--- ${name}\n${tail(output, 25)}`);
  const secret = output.split('\n').find((line) => canaries.test(line));
  if (secret === undefined) return count;
  failures.push(`--- ${name}\nA secret that tests placed came out: ${secret}`);
  return { passed: count.passed, failed: count.failed + 1 };
}

const failures: string[] = [];

async function main(): Promise<void> {
  mkdirSync(temporary);
  const only = process.argv.slice(2);
  const chosen = steps.filter(({ name }) => only.length === 0 || only.includes(name));
  const counts: { readonly name: string; readonly count: Count }[] = [];
  for (const step of chosen) counts.push({ name: step.name, count: await runStep(step) });

  const verified = sumOfLines(journals);
  if (verified === 0 && chosen.some(({ name }) => name === 'tests')) {
    failures.push(
      '--- journals\nNo test verified a journal: is scripts/vitest/count-journals.ts set up?',
    );
    counts.push({ name: 'journals', count: { passed: 0, failed: 1 } });
  }

  if (failures.length > 0) console.log(`\n=== what failed\n${failures.join('\n\n')}`);
  console.log('\n=== summary');
  for (const { name, count } of counts)
    console.log(
      `${count.failed === 0 ? 'ok    ' : 'FAILED'} ${name}: ${count.passed} passed, ${count.failed} failed`,
    );
  console.log(`${verified} journals verified`);
  rmSync(temporary, { recursive: true });
  const passed = counts.reduce((sum, { count }) => sum + count.passed, 0);
  const failed = counts.reduce((sum, { count }) => sum + count.failed, 0);
  process.exitCode = failed === 0 ? 0 : 1;
  console.log(`${passed} passed, ${failed} failed`);
}

if (import.meta.main) await main();
