/**
 * Ten minutes with the real Functions host, for whoever has Azure Functions Core Tools: builds the weather bot,
 * starts it with `func start` and asks it over HTTP, as JSON and as a live stream.
 */
import { cpSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { answers, mustRun, portIsFree, run, startServer, tail } from './lib/processes.ts';
import { report, type Problem } from './lib/report.ts';
import { answerProblems } from './check-fresh-clone.ts';
import { root } from './lib/workspace.ts';

const app = join(root, 'examples/weather-bot');
const port = 7071;
const address = `http://127.0.0.1:${port}`;
const chat = `${address}/api/agents`;

const missing = `Azure Functions Core Tools (the command func) is not installed. Install version 4:
  macOS    brew tap azure/functions && brew install azure-functions-core-tools@4
  Windows  winget install Microsoft.Azure.FunctionsCoreTools
  Linux    https://learn.microsoft.com/azure/azure-functions/functions-run-local#install-the-azure-functions-core-tools
Then run this again.`;

interface Streamed {
  readonly types: readonly string[];
  /** Between the first and the last text that arrived. */
  readonly spreadMs: number;
}

async function streamed(url: string, message: string): Promise<Streamed> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({ message }),
    signal: AbortSignal.timeout(60_000),
  });
  if (response.body === null) throw new Error(`${url} answered ${response.status} without a body.`);
  const times: number[] = [];
  let text = '';
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    if (chunk.includes('event: text-delta')) times.push(Date.now());
    text += chunk;
  }
  const types = [...text.matchAll(/^event: (.+)$/gm)].map(([, type = '']) => type);
  return { types, spreadMs: (times.at(-1) ?? 0) - (times[0] ?? 0) };
}

async function checkHost(): Promise<readonly string[]> {
  const problems: string[] = [];
  const list = await run('curl', ['-sf', chat], { cwd: root });
  const { agents }: { agents: { name: string }[] } = JSON.parse(list.stdout);
  const [first] = agents;
  if (first === undefined) return ['GET /api/agents lists no agent'];
  const url = `${chat}/${first.name}/chat`;
  const question = 'What is the weather in Seattle?';
  const body = JSON.stringify({ message: question });
  const json = await run('curl', ['-s', url, '-H', 'content-type: application/json', '-d', body], {
    cwd: root,
    timeoutMs: 60_000,
  });
  problems.push(...answerProblems(json.stdout));
  const { types, spreadMs } = await streamed(url, question);
  if (types.at(-1) !== 'run-end')
    problems.push(`the stream ended with ${types.at(-1)}, not run-end`);
  if (!types.includes('text-delta')) problems.push('the stream showed no text-delta');
  console.log(`stream: ${types.length} events, text over ${spreadMs} ms`);
  const unknown = await fetch(`${chat}/nobody/chat`, { method: 'POST', body: '{}' });
  if (unknown.status !== 404) problems.push(`an unknown agent answers ${unknown.status}, not 404`);
  return problems;
}

async function main(): Promise<void> {
  const tools = await run('func', ['--version'], { cwd: root });
  if (tools.code !== 0) {
    console.error(missing);
    process.exitCode = 1;
    return;
  }
  console.log(`Azure Functions Core Tools ${tools.stdout.trim()}, Node ${process.version}`);
  if (!(await portIsFree(port))) throw new Error(`Port ${port} is taken. Stop what listens there.`);
  await mustRun('pnpm', ['exec', 'turbo', 'run', 'build', '--filter=weather-bot'], { cwd: root });
  const settings = join(app, 'local.settings.json');
  if (!existsSync(settings)) cpSync(`${settings}.template`, settings);

  const problems: Problem[] = [];
  await using host = await startServer('func', ['start', '--port', String(port)], {
    cwd: app,
    ready: () => answers(`${address}/api/health`),
    timeoutMs: 120_000,
  });
  for (const message of await checkHost()) problems.push({ where: 'func start', message });
  if (problems.length > 0) console.error(tail(host.output(), 30));
  report('Functions host', problems, 'answers as JSON and as a stream');
}

if (import.meta.main) await main();
