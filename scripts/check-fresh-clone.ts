/**
 * A stranger's first minutes: clones the last commit, and with an empty HOME and one plain Node after the other
 * runs `npm start`, the first curl of the README and `GET /api/agents`. On the first Node, also `npm start` of each
 * example that has it, until it serves after its conversation or ends.
 *
 * `--test` also runs `npm test` in each clone; `--node 22` takes only that line of Node.
 */
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { curlExamples, devAddress, environmentWithoutKeys } from './check-readmes.ts';
import { environmentOf, plainNode, type PlainNode } from './lib/plain-node.ts';
import { answers, freePort, mustRun, portIsFree, run, startServer, tail } from './lib/processes.ts';
import { report, type Problem } from './lib/report.ts';
import { shapeProblems } from './lib/shape.ts';
import { root } from './lib/workspace.ts';

const nodeVersions = ['20.20.2', '22.22.3', '24.21.0'];
const devPort = 7071;

/** What is wrong with the first answer of the README: no tool ran, or nothing was counted. */
export function answerProblems(text: string): readonly string[] {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    return [`the first curl of the README printed no JSON: ${tail(text, 10)}`];
  }
  const wanted = {
    status: '',
    response: '',
    tool_results: [{ tool: '' }],
    usage: { total_tokens: 1 },
  };
  const problems = shapeProblems(wanted, answer).map((each) => `the answer: ${each}`);
  return /"total_tokens":\s*0\b/.test(text)
    ? [...problems, 'the answer counts no tokens']
    : problems;
}

async function agentsProblems(address: string): Promise<readonly string[]> {
  const response = await fetch(`${address}/api/agents`);
  const problems = shapeProblems({ agents: [{ name: '' }], total: 1 }, await response.json());
  return problems.map((each) => `GET /api/agents: ${each}`);
}

/** The examples that `npm start` runs, by folder. */
function startableExamples(clone: string): readonly string[] {
  return globSync('examples/*/package.json', { cwd: clone })
    .filter((file) => {
      const { scripts }: { scripts?: { start?: string } } = JSON.parse(
        readFileSync(join(clone, file), 'utf8'),
      );
      return scripts?.start !== undefined;
    })
    .map((file) => dirname(file))
    .toSorted();
}

/** An example that is an app serves; the others print what they have to say, and end. */
function serves(folder: string): boolean {
  const { dependencies = {} }: { dependencies?: { readonly [name: string]: string } } = JSON.parse(
    readFileSync(join(folder, 'package.json'), 'utf8'),
  );
  return '@agent-functions/azure-functions' in dependencies;
}

/** An example has the conversation that its README shows, and goes on serving; or ends well after its demo. */
async function exampleProblems(
  folder: string,
  options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): Promise<readonly string[]> {
  if (!serves(join(options.cwd, folder))) {
    const { code, output } = await run('npm', ['start', '--prefix', folder], {
      ...options,
      timeoutMs: 60_000,
    });
    const good = code === 0 && output.includes('offline demo model');
    return good ? [] : [`npm start --prefix ${folder}:\n${tail(output, 20)}`];
  }
  const port = await freePort();
  await using server = await startServer(
    'npm',
    ['start', '--prefix', folder, '--', '--port', String(port)],
    { ...options, ready: () => answers(`http://127.0.0.1:${port}/api/health`) },
  );
  const giveUp = Date.now() + 60_000;
  while (!server.output().includes('serves at ')) {
    if (Date.now() > giveUp) return [`npm start --prefix ${folder}:\n${tail(server.output(), 20)}`];
    await sleep(100);
  }
  const last = lastLineShown(readFileSync(join(options.cwd, folder, 'README.md'), 'utf8'));
  return last !== '' && server.output().includes(last)
    ? []
    : [`${folder} does not print the last line that its README shows, "${last}"`];
}

/** The last line of the conversation in an example's README: no weather is in it, so that it is the same everywhere. */
export function lastLineShown(readme: string): string {
  const shown = /```text\n(.*?)```/s.exec(readme)?.[1] ?? '';
  return shown.trimEnd().split('\n').at(-1)?.trim() ?? '';
}

async function checkClone(
  node: PlainNode,
  { withTests, withExamples }: { readonly withTests: boolean; readonly withExamples: boolean },
): Promise<readonly Problem[]> {
  const where = `fresh clone on Node ${node.version}`;
  const folder = mkdtempSync(join(tmpdir(), 'agent-functions-clone-'));
  const home = join(folder, 'home');
  const clone = join(folder, 'agent-functions');
  mkdirSync(home);
  const env = environmentWithoutKeys(environmentOf(node, { HOME: home, CI: 'true' }));
  try {
    await mustRun('git', ['clone', '--quiet', `file://${root}`, clone], { cwd: folder });
    const port = (await portIsFree(devPort)) ? devPort : await freePort();
    const address = `http://127.0.0.1:${port}`;
    if (port !== devPort) console.log(`${where}: port ${devPort} is taken, so ${port} is served`);
    const start = ['start', ...(port === devPort ? [] : ['--', '--port', String(port)])];
    const messages: string[] = [];
    const started = Date.now();
    {
      await using _server = await startServer('npm', start, {
        cwd: clone,
        env,
        ready: () => answers(`${address}/api/health`),
        timeoutMs: 300_000,
      });
      console.log(`${where}: serves after ${Math.round((Date.now() - started) / 1000)} s`);
      const [first] = curlExamples(readFileSync(join(clone, 'README.md'), 'utf8'));
      if (first === undefined) messages.push('the README shows no curl command');
      else {
        const answer = await run(
          'bash',
          ['-c', first.code.replaceAll(devAddress, `127.0.0.1:${port}`)],
          { cwd: clone, timeoutMs: 60_000 },
        );
        messages.push(...answerProblems(answer.stdout));
      }
      messages.push(...(await agentsProblems(address)));
    }
    if (!(await portIsFree(port))) messages.push('the server still listens after it was stopped');
    if (withExamples) {
      for (const folder of startableExamples(clone)) {
        messages.push(...(await exampleProblems(folder, { cwd: clone, env })));
        console.log(`${where}: ${folder} has its conversation`);
      }
    }
    if (withTests) {
      const tests = await run('npm', ['test'], { cwd: clone, env, timeoutMs: 1_200_000 });
      if (tests.code !== 0) messages.push(`npm test failed:\n${tail(tests.output, 40)}`);
    }
    return messages.map((message) => ({ where, message }));
  } catch (error) {
    return [{ where, message: error instanceof Error ? error.message : String(error) }];
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { test: { type: 'boolean', default: false }, node: { type: 'string' } },
  });
  const wanted = nodeVersions.filter(
    (each) => values.node === undefined || each.startsWith(`${values.node}.`),
  );
  const problems: Problem[] = [];
  // One after the other: all of them serve the same port.
  for (const [index, version] of wanted.entries()) {
    const what = { withTests: values.test, withExamples: index === 0 };
    problems.push(...(await checkClone(await plainNode(version), what)));
  }
  report('fresh clone', problems, `npm start serves and answers on Node ${wanted.join(', ')}`);
}
