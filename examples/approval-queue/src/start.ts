// The story of the README: a refund waits for an answer, the server is killed meanwhile, the answer comes from another
// process, and the run goes on. Then it goes on serving.
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs, promisify } from 'node:util';
import { sayYourTurn, serverSentEvents, Transcript } from 'demo-model/play';

const { values } = parseArgs({ options: { port: { type: 'string', default: '7071' } } });
const folder = mkdtempSync(join(tmpdir(), 'approval-queue-'));
const environment = {
  ...process.env,
  APPROVALS_DB: join(folder, 'approvals.db'),
  REFUNDS_FILE: join(folder, 'refunds.jsonl'),
};
let ending = false;
const message = 'Please refund order 1042: the lamp arrived broken.';

process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
let server = await start(values.port, true);
process.once('SIGTERM', () => end('SIGTERM'));
process.once('SIGINT', () => end('SIGINT'));
const chat = `${server.url}/api/agents/refund_desk/chat`;

console.log(`\nuser: ${message}`);
const transcript = new Transcript((line) => console.log(line));
const asked = await fetch(chat, {
  method: 'POST',
  headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
  body: JSON.stringify({ message }),
});
let last = 0;
for await (const event of serverSentEvents(asked)) {
  transcript.take(event);
  last = seqOf(event) ?? last;
}

console.log('\nThe server is killed, and another one is started.\n');
server.child.kill('SIGKILL');
await once(server.child, 'exit');
server = await start(new URL(server.url).port, false);

await terminal();
await terminal('1', 'approve', '--euros', '40');
console.log();
const events = new URL(`${asked.headers.get('location') ?? ''}/events`, server.url);
const rest = await fetch(events, { headers: { 'last-event-id': String(last) } });
for await (const event of serverSentEvents(rest)) transcript.take(event);
console.log();
await terminal();

sayYourTurn(server.url, chat, { message: 'Please refund order 1043.' });
server.child.once('exit', (code, signal) => {
  if (ending) return;
  console.error(
    `The server ended (${signal ?? code}), and with it what this story kept. npm run serve keeps it.`,
  );
  process.exitCode = 1;
});

/** One command of the other terminal. */
async function terminal(...words: readonly string[]): Promise<void> {
  const command = ['npm run decide', ...(words.length > 0 ? ['--', ...words] : [])].join(' ');
  console.log(`$ ${command}`);
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [...process.execArgv, 'src/decide.ts', '--url', server.url, ...words],
    { env: environment },
  );
  console.log(stdout.trimEnd());
}

interface Started {
  readonly url: string;
  readonly child: ChildProcess;
}

async function start(port: string, says: boolean): Promise<Started> {
  const child = spawn(process.execPath, [...process.execArgv, 'src/serve.ts', '--port', port], {
    env: environment,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const [, url] = /^serves at (.*)$/.exec(line) ?? [];
    if (url !== undefined) return { url, child };
    if (says) console.log(line);
  }
  throw new Error('The server ended before it served.');
}

function end(signal: NodeJS.Signals): void {
  ending = true;
  server.child.kill(signal);
  process.exitCode = 0;
}

function seqOf(event: unknown): number | undefined {
  if (typeof event !== 'object' || event === null || !('seq' in event)) return undefined;
  return typeof event.seq === 'number' ? event.seq : undefined;
}
