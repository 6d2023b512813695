/**
 * The documentation is true: its code type-checks and runs, its curl commands are answered as it says, the
 * parity ledger names tests that exist. How to mark a block: CONTRIBUTING.md, "Documentation".
 *
 * `node scripts/check-readmes.ts [file …]` checks only these files, and leaves out the curl commands
 * unless README.md is among them.
 */
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { codeBlocks, type CodeBlock } from './lib/markdown.ts';
import { ledgerProblems } from './lib/parity-ledger.ts';
import { answers, freePort, run, startServer, tail } from './lib/processes.ts';
import { report, type Problem } from './lib/report.ts';
import { shapeProblems, textProblems } from './lib/shape.ts';
import { publicPackages, root, toolEnvironment } from './lib/workspace.ts';

const ledger = 'docs/parity.md';
/** How pages write the address of the development server. */
export const devAddress = /(localhost|127\.0\.0\.1):7071/g;

/** Every page whose code is checked, relative to the root. */
export function pages(): readonly string[] {
  return ['README.md', 'CONTRIBUTING.md', 'packages/*/README.md', 'docs/**/*.md']
    .flatMap((pattern) => globSync(pattern, { cwd: root }))
    .toSorted();
}

/** Pages that must be there, code near their top, and the two commands first. */
export function layoutProblems(
  page: string,
  text: string,
  firstCodeBy: number,
): readonly Problem[] {
  const blocks = codeBlocks(text);
  const problems: Problem[] = [];
  const first = blocks.find((block) => isCode(block));
  if (first === undefined || first.line > firstCodeBy)
    problems.push({
      where: page,
      message: `has its first code ${first === undefined ? 'nowhere' : `in line ${first.line}`}; it stands by line ${firstCodeBy}.`,
    });
  if (page !== 'README.md') return problems;
  const commands = blocks
    .filter((block) => isShell(block))
    .flatMap((block) => block.code.split('\n'))
    .map((line) =>
      line
        .replace(/^\$ /, '')
        .replace(/\s+#.*$/, '')
        .trim(),
    )
    .filter((line) => line !== '' && !/^(#|git clone |cd )/.test(line));
  if (commands[0] !== 'npm start' || commands[1] !== 'npm test')
    problems.push({
      where: page,
      message: `has as first commands "${commands.slice(0, 2).join('", "')}"; they are npm start and npm test.`,
    });
  return problems;
}

interface Snippet {
  readonly page: string;
  readonly line: number;
  readonly runs: boolean;
  /** What it says that it prints: the comments behind and below its `console.log`s. */
  readonly prints: string | undefined;
  /** File that holds it, inside the workspace so that its imports resolve. */
  readonly file: string;
  readonly text: string;
}

/**
 * The code of a page as programs. A block is a program of its own; one marked `continues` goes on where the
 * block before it ended, and the two run together. Code keeps its line numbers.
 */
export function snippetsOf(page: string, text: string, folder: string): readonly Snippet[] {
  const snippets: Snippet[] = [];
  for (const block of codeBlocks(text).filter((each) => isProgram(each))) {
    const extension = block.language === 'js' || block.language === 'javascript' ? 'js' : 'ts';
    const name = `${page.replaceAll('/', '__')}.L${block.line}.${extension}`;
    const before = snippets.at(-1);
    const goesOn = block.marks.includes('continues') && before !== undefined;
    const start = goesOn ? before.text : '';
    const lines = start.split('\n').length - 1;
    if (goesOn) snippets.pop();
    snippets.push({
      page,
      line: block.line,
      runs: !block.marks.includes('no-run') && (!goesOn || before.runs),
      prints: block.marks.includes('prints') ? printed(block.code) : undefined,
      file: join(folder, name),
      text: `${start}${'\n'.repeat(block.line - lines)}${block.code}\n`,
    });
  }
  return snippets;
}

// A comment behind a `console.log`, and the lines of comment right below it.
function printed(code: string): string {
  const said: string[] = [];
  let below = false;
  for (const line of code.split('\n')) {
    const comment = /^\s*\/\/ ?(.*)$/.exec(line)?.[1];
    if (comment !== undefined && below) said.push(comment);
    if (comment !== undefined) continue;
    below = /console\.log\(/.test(line);
    const behind = below ? /; \/\/ (.*)$/.exec(line)?.[1] : undefined;
    if (behind !== undefined) said.push(behind);
  }
  return said.join('\n');
}

// Line breaks are a matter of width.
function plain(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}

/** Type-checks all snippets in one go, then runs those that are not marked `no-run`. */
export async function snippetProblems(
  snippets: readonly Snippet[],
  folder: string,
): Promise<readonly Problem[]> {
  if (snippets.length === 0) return [];
  for (const { file, text } of snippets) writeFileSync(file, text);
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      extends: relative(folder, join(root, 'tsconfig.base.json')),
      compilerOptions: {
        allowJs: true,
        declaration: false,
        noUnusedLocals: false,
        noUnusedParameters: false,
      },
      files: snippets.map((each) => relative(folder, each.file)),
    }),
  );
  const tsc = await run('tsc', ['-p', folder, '--pretty', 'false'], { cwd: folder });
  const typeProblems = tsc.output.split('\n').flatMap((line) => {
    const [, file = '', at = '', message = ''] = /^(.+?)\((\d+),\d+\): (.*)$/.exec(line) ?? [];
    const snippet = snippets.find((each) => resolve(folder, file) === each.file);
    if (snippet !== undefined) return [{ where: `${snippet.page}:${at}`, message }];
    return file === '' ? [] : [{ where: file, message }];
  });
  if (tsc.code !== 0 && typeProblems.length === 0)
    return [{ where: 'tsc', message: tail(tsc.output, 20) }];

  const failing = new Set(typeProblems.map((each) => each.where.replace(/:\d+$/, '')));
  const runnable = snippets.filter((each) => each.runs && !failing.has(each.page));
  const ran = await Promise.all(runnable.map((each) => queued(() => runSnippet(each, folder))));
  return [...typeProblems, ...ran.flat()];
}

async function runSnippet(snippet: Snippet, folder: string): Promise<readonly Problem[]> {
  const { code, output, stdout, timedOut } = await run(
    'node',
    ['--conditions=@agent-functions/source', '--disable-warning=ExperimentalWarning', snippet.file],
    { cwd: folder, env: environmentWithoutKeys(), timeoutMs: 30_000 },
  );
  const where = `${snippet.page}:${snippet.line}`;
  if (code === 0) {
    const { prints } = snippet;
    if (prints === undefined || plain(prints) === plain(stdout)) return [];
    const message = `the code prints something else than its comments say:\n${tail(stdout, 15)}`;
    return [{ where, message }];
  }
  const what = timedOut ? 'did not end within 30 s' : `ended with exit code ${code}`;
  const message = `the code ${what}. Mark it \`no-run\` if it needs a key or serves for ever.\n${tail(output, 15)}`;
  return [{ where, message }];
}

// Two at a time: as many as the smallest machine that checks this has cores.
const waiting: Promise<unknown>[] = [Promise.resolve(), Promise.resolve()];
let turn = 0;
function queued<T>(work: () => Promise<T>): Promise<T> {
  const lane = turn++ % waiting.length;
  const result = (waiting[lane] ?? Promise.resolve()).then(work, work);
  waiting[lane] = result;
  return result;
}

/** What a documentation example sees: no key of any provider, so that it does the same everywhere. */
export function environmentWithoutKeys(from = toolEnvironment): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(from).filter(
      ([name]) =>
        !/(API_KEY|_TOKEN|_SECRET|CONNECTION_STRING|^OLLAMA_HOST|^AZURE_|^OPENAI_|^ANTHROPIC_|^GOOGLE_)/.test(
          name,
        ),
    ),
  );
}

/** A shell block with curl, and what the page says it prints. */
export interface CurlExample {
  readonly line: number;
  readonly code: string;
  readonly output?: CodeBlock | undefined;
}

export function curlExamples(text: string): readonly CurlExample[] {
  const blocks = codeBlocks(text);
  return blocks.flatMap((block, index) => {
    if (!isShell(block) || !/^\s*(\$ )?curl /m.test(block.code)) return [];
    const next = blocks[index + 1];
    const output = next?.marks.includes('output') === true ? next : undefined;
    return [{ line: block.line, code: block.code.replaceAll(/^\s*\$ /gm, ''), output }];
  });
}

/** How what a command printed differs in shape from what the page shows. */
export function outputProblems(expected: CodeBlock, printed: string): readonly string[] {
  if (expected.language !== 'json') return textProblems(expected.code, printed);
  let shape: unknown;
  try {
    shape = JSON.parse(expected.code);
  } catch (error) {
    return [`the expected output in line ${expected.line} is not JSON: ${String(error)}`];
  }
  try {
    return shapeProblems(shape, JSON.parse(printed));
  } catch {
    return [`printed no JSON: ${tail(printed, 10)}`];
  }
}

async function curlProblems(page: string): Promise<readonly Problem[]> {
  const examples = curlExamples(readFileSync(join(root, page), 'utf8'));
  if (examples.length === 0) return [{ where: page, message: 'shows no curl command.' }];
  const port = await freePort();
  const base = `127.0.0.1:${port}`;
  await using server = await startServer('npm', ['start', '--', '--port', String(port)], {
    cwd: root,
    env: environmentWithoutKeys(),
    ready: () => answers(`http://${base}/api/health`),
    timeoutMs: 120_000,
  });
  const problems: Problem[] = [];
  // One after the other: a page may go on with the session of the command before.
  for (const { line, code, output } of examples) {
    const script = `set -euo pipefail\n${code.replaceAll(devAddress, base)}`;
    const result = await run('bash', ['-c', script], { cwd: root, timeoutMs: 60_000 });
    const found =
      result.code === 0
        ? output === undefined
          ? []
          : outputProblems(output, result.stdout)
        : [`ended with exit code ${result.code}:\n${tail(result.output, 10)}`];
    for (const message of found)
      problems.push({
        where: `${page}:${line}`,
        message: `${message}\n  it printed: ${tail(result.stdout, 5)}\n  the server: ${tail(server.output(), 5)}`,
      });
  }
  return problems;
}

function isCode({ language }: CodeBlock): boolean {
  return ['ts', 'js', 'typescript', 'javascript', 'sh', 'bash', 'shell'].includes(language);
}

function isProgram({ language }: CodeBlock): boolean {
  return ['ts', 'js', 'typescript', 'javascript'].includes(language);
}

function isShell({ language }: CodeBlock): boolean {
  return ['sh', 'bash', 'shell', 'console'].includes(language);
}

async function main(only: readonly string[]): Promise<void> {
  const all = only.length === 0 ? pages() : only;
  const problems: Problem[] = [];
  const required = [
    'README.md',
    ledger,
    ...publicPackages().map((each) => `packages/${each.folder}/README.md`),
  ];
  if (only.length === 0)
    for (const page of required)
      if (!existsSync(join(root, page))) problems.push({ where: page, message: 'is missing.' });

  mkdirSync(join(root, 'scripts/.blocks'), { recursive: true });
  const folder = mkdtempSync(join(root, 'scripts/.blocks/pages-'));
  const snippets = all.flatMap((page) =>
    snippetsOf(page, readFileSync(join(root, page), 'utf8'), folder),
  );
  for (const page of all) {
    const text = readFileSync(join(root, page), 'utf8');
    if (page === 'README.md') problems.push(...layoutProblems(page, text, 30));
    if (page.startsWith('packages/')) problems.push(...layoutProblems(page, text, 20));
    if (page === ledger) problems.push(...ledgerProblems(root, page));
  }
  problems.push(...(await snippetProblems(snippets, folder)));
  rmSync(folder, { recursive: true });
  if (all.includes('README.md')) problems.push(...(await curlProblems('README.md')));
  const ran = snippets.filter((each) => each.runs).length;
  report(
    'READMEs',
    problems,
    `${snippets.length} programs of ${all.length} pages type-check, ${ran} of them ran`,
  );
}

if (import.meta.main) await main(process.argv.slice(2));
