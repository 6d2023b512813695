import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { clients } from './clients.ts';
import { onePort, startProcess } from './processes.ts';

// Nothing is kept between requests but what is in the store: any process answers any of them.

const folder = await mkdtemp(join(tmpdir(), 'mcp-'));
afterAll(() => rm(folder, { recursive: true, force: true }));
let stores = 0;

async function twoProcesses() {
  const env = { STORE: join(folder, `${(stores += 1)}.db`) };
  const one = await startProcess('./clerk-process.ts', env);
  const other = await startProcess('./clerk-process.ts', env);
  const port = await onePort([one.url, other.url]);
  return {
    url: `${port.url}/mcp`,
    served: port.served,
    [Symbol.asyncDispose]: async () => {
      await port[Symbol.asyncDispose]();
      await one[Symbol.asyncDispose]();
      await other[Symbol.asyncDispose]();
    },
  };
}

/** A connection of its own for every request, so that the next process gets it. */
const apart: typeof fetch = (url, init) => {
  const headers = new Headers(init?.headers);
  headers.set('connection', 'close');
  return fetch(url, { ...init, headers });
};

describe.each(Object.keys(clients) as (keyof typeof clients)[])('%s', (how) => {
  test('a paused run is followed and decided over two processes behind one port', async () => {
    await using servers = await twoProcesses();
    await using client = await clients[how]({ url: servers.url, fetch: apart });
    expect((await client.tools()).map(({ name }) => name)).toContain('clerk');
    const paused = structured(await client.call('clerk', { message: 'Refund.' }));
    expect(paused.status).toBe('interrupted');
    const { run_id, interruptions } = paused;
    // Whichever of the two is asked, and asked again.
    for (let times = 0; times < 2; times += 1) {
      const looked = structured(await client.call('get_run', { run_id }));
      expect(looked).toMatchObject({ status: 'interrupted', run_id });
    }
    const decided = await client.call('decide_run', {
      run_id,
      decisions: [{ interruption_id: interruptions?.[0]?.id, approved: true }],
    });
    expect(structured(decided)).toMatchObject({ status: 'completed', response: 'It is refunded.' });
    expect(Math.min(...servers.served)).toBeGreaterThan(0);
  }, 30_000);
});

interface Structured {
  readonly status: string;
  readonly run_id: string;
  readonly response?: string;
  readonly interruptions?: readonly { readonly id: string }[];
}

function structured(result: Record<string, unknown>): Structured {
  return JSON.parse(JSON.stringify(result['structuredContent']));
}

const inspector = fileURLToPath(
  new URL(
    '../../node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js',
    import.meta.url,
  ),
);

/** `inspector --cli <url> --method tools/call --tool-name …`, as a process. */
async function inspect(
  url: string,
  tool: string,
  args: Readonly<Record<string, unknown>>,
): Promise<Structured> {
  const given = Object.entries(args).flatMap(([name, value]) => [
    '--tool-arg',
    `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  ]);
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [inspector, '--cli', url, '--method', 'tools/call', '--tool-name', tool, ...given],
    { env: { PATH: process.env['PATH'], HOME: folder } },
  );
  const { structuredContent } = JSON.parse(stdout);
  return structuredContent;
}

test('a paused run is followed and decided with the inspector, each time from another process', async () => {
  await using servers = await twoProcesses();
  const { url } = servers;
  const paused = await inspect(url, 'clerk', { message: 'Refund.' });
  expect(paused.status).toBe('interrupted');
  const { run_id, interruptions } = paused;
  expect(await inspect(url, 'get_run', { run_id })).toMatchObject({ status: 'interrupted' });
  const decisions = [{ interruption_id: interruptions?.[0]?.id, approved: true }];
  expect(await inspect(url, 'decide_run', { run_id, decisions })).toMatchObject({
    status: 'completed',
    response: 'It is refunded.',
  });
  expect(await inspect(url, 'get_run', { run_id })).toMatchObject({ status: 'completed' });
}, 60_000);
