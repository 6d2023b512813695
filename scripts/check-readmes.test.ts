import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import {
  curlExamples,
  environmentWithoutKeys,
  layoutProblems,
  outputProblems,
  snippetProblems,
  snippetsOf,
} from './check-readmes.ts';
import { codeBlocks } from './lib/markdown.ts';

// Compilers and processes, which are slow on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

const fence = '```';
const block = (info: string, code: string): string => `${fence}${info}\n${code}\n${fence}\n`;

let folder: string | undefined;
afterEach(() => {
  if (folder !== undefined) rmSync(folder, { recursive: true });
  folder = undefined;
});

async function problemsOf(page: string): Promise<readonly string[]> {
  mkdirSync(join(import.meta.dirname, '.blocks'), { recursive: true });
  folder = mkdtempSync(join(import.meta.dirname, '.blocks/test-'));
  const found = await snippetProblems(snippetsOf('page.md', page, folder), folder);
  return found.map(({ where, message }) => `${where}: ${message}`);
}

test('code that type-checks and runs is no problem, nor is code of other languages', async () => {
  const page = `# Title\n\n${block('ts', `const a: number = 1;\nif (a !== 1) throw new Error('a');`)}${block('python', 'print(')}`;
  expect(await problemsOf(page)).toEqual([]);
});

test('code that does not type-check is a problem, with its line in the page', async () => {
  const page = `# Title\n\n${block('ts no-run', `const a = 1;\nconst b: string = a;\nexport { b };`)}`;
  expect(await problemsOf(page)).toEqual([
    expect.stringContaining("page.md:5: error TS2322: Type 'number'"),
  ]);
});

test('code that throws or never ends is a problem, except when it is marked no-run', async () => {
  const throws = `throw new Error('as the page says');`;
  expect(await problemsOf(block('ts', throws))).toEqual([
    expect.stringContaining('as the page says'),
  ]);
  expect(await problemsOf(block('ts no-run', throws))).toEqual([]);
});

test('a block that continues sees the names of the one before', async () => {
  const page = `${block('ts', 'const a = 1;')}\ntext\n${block('ts continues', `if (a !== 1) throw new Error('a');\nconst b: string = a;`)}`;
  expect(await problemsOf(page)).toEqual([expect.stringContaining('page.md:8: error TS2322')]);
});

test('a block that says what it prints must print it; line breaks do not matter', async () => {
  const says = (comment: string) =>
    block(
      'ts prints',
      `console.log('a');\nconsole.log({ b: 1 }, 'c'); // ${comment}\n// d\nexport {};`,
    );
  const right = `${fence}ts prints\nconsole.log('a'); // a\nconsole.log('b\\nc');\n// b\n// c\nexport {};\n${fence}\n`;
  expect(await problemsOf(right)).toEqual([]);
  expect(await problemsOf(says('{ b: 1 } c'))).toEqual([
    expect.stringContaining('prints something else than its comments say'),
  ]);
});

test('code comes early, and the first commands are npm start and npm test', () => {
  const late = `${'\n'.repeat(30)}${block('ts', '')}`;
  expect(layoutProblems('packages/core/README.md', late, 20)).toHaveLength(1);
  expect(
    layoutProblems('README.md', block('sh', 'git clone x\ncd x\nnpm start # serves\nnpm test'), 30),
  ).toEqual([]);
  expect(layoutProblems('README.md', block('sh', 'pnpm install\nnpm start'), 30)).toHaveLength(1);
});

test('a curl command knows the output that follows it', () => {
  const page = `${block('sh', 'npm start')}${block('sh', 'curl -s http://127.0.0.1:7071/api/agents')}${block('json output', '{"agents": []}')}${block('sh', 'curl x')}`;
  expect(curlExamples(page).map((each) => [each.code, each.output?.code])).toEqual([
    ['curl -s http://127.0.0.1:7071/api/agents', '{"agents": []}'],
    ['curl x', undefined],
  ]);
});

test('JSON is compared by its keys and types, a stream by its events and their shapes', () => {
  const [json] = codeBlocks(
    block('json output', '{"agents": [{"name": "a", "tools": 3}], "total": 1}'),
  );
  const [text] = codeBlocks(
    block('text output', 'event: run-end\ndata: {"status": "completed"}\n…'),
  );
  if (json === undefined || text === undefined) throw new Error('no blocks');
  expect(
    outputProblems(json, '{"agents": [{"name": "b", "tools": 0, "more": 1}], "total": 9}'),
  ).toEqual([]);
  expect(outputProblems(json, '{"agents": [{"name": 1}]}')).toEqual([
    '$.agents[0].name is number, expected string',
    '$.agents[0].tools is missing',
    '$.total is missing',
  ]);
  expect(outputProblems(json, '{"agents": [], "total": 0}')).toEqual(['$.agents is empty']);
  expect(outputProblems(json, '<html>')).toEqual([expect.stringContaining('printed no JSON')]);
  expect(
    outputProblems(text, ': hi\n\nevent: run-end\ndata: {"status": "failed", "v": 1}\n'),
  ).toEqual([]);
  expect(outputProblems(text, 'event: run-pause\ndata: {"state": 1}\n')).toHaveLength(2);
});

test('an example sees no key of the machine it runs on', () => {
  const seen = environmentWithoutKeys({ OPENAI_API_KEY: 'secret', PATH: '/bin', HOME: '/home/me' });
  expect(seen).toEqual({ PATH: '/bin', HOME: '/home/me' });
});
