import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { Client as SecondLine } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { Client as FirstLine } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as FirstLineTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { describe, expect, test } from 'vitest';
import { mcpTools } from '../../src/index.ts';
import { call } from '../conformance/call.ts';

// agent-functions-mcp: an app's agents over stdin and stdout.

const program = fileURLToPath(new URL('../../bin/agent-functions-mcp.mjs', import.meta.url));
const app = fileURLToPath(new URL('./clerk-app.ts', import.meta.url));
const noApp = fileURLToPath(new URL('./no-app.ts', import.meta.url));
const agent = fileURLToPath(new URL('./talking-agent.ts', import.meta.url));

const started = (file: string, ...more: string[]) => ({
  command: process.execPath,
  args: [program, file, ...more],
});

describe('an app', () => {
  test.each(['auto', 'legacy'] as const)(
    'to a v2 client (%s): a paused run is decided',
    async (mode) => {
      const client = new SecondLine(
        { name: 'test', version: '1.0.0' },
        { versionNegotiation: { mode } },
      );
      await client.connect(new StdioClientTransport(started(app)));
      const asked = await client.callTool({ name: 'clerk', arguments: { message: 'Refund.' } });
      const { status, run_id, interruptions } = structured(asked);
      expect(status).toBe('interrupted');
      const decisions = [{ interruption_id: interruptions[0]?.id, approved: true }];
      const decided = await client.callTool({
        name: 'decide_run',
        arguments: { run_id, decisions },
      });
      expect(structured(decided)).toMatchObject({ status: 'completed' });
      await client.close();
    },
    20_000,
  );

  test('to a v1 client', async () => {
    const client = new FirstLine({ name: 'test', version: '1.0.0' });
    await client.connect(new FirstLineTransport(started(app)));
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(['clerk', 'get_run', 'decide_run', 'cancel_run']);
    await client.close();
  }, 20_000);
});

test('an agent that logs to the console, to our own client', async () => {
  const source = mcpTools({ name: 'talking', ...started(agent) });
  const options = { signal: AbortSignal.timeout(15_000), agent: 'tester' };
  const [tool] = await source.listTools(options);
  expect(tool).toMatchObject({ name: 'talking', description: 'Says what it was told.' });
  if (tool === undefined) throw new Error('There is no tool.');
  expect(await call(tool, { message: 'Hello' })).toMatchObject({
    parts: [{ type: 'text', text: 'You said: Hello' }, { text: expect.stringContaining('run_id') }],
  });
  await source.close();
}, 20_000);

test('the process ends when its client has gone', async () => {
  const transport = new StdioClientTransport({ ...started(agent), stderr: 'pipe' });
  const client = new SecondLine({ name: 'test', version: '1.0.0' });
  await client.connect(transport);
  const { pid } = transport;
  const stderr = new PassThrough();
  transport.stderr?.pipe(stderr);
  const ended = once(stderr, 'end');
  stderr.resume();
  await client.close();
  await ended;
  expect(() => process.kill(pid ?? 0, 0)).toThrow();
}, 20_000);

test('what cannot be served is said on standard error', () => {
  const run = (...args: string[]) => {
    const { status, stderr, stdout } = spawnSync(process.execPath, [program, ...args], {
      encoding: 'utf8',
      input: '',
    });
    return { status, stderr, stdout };
  };
  expect(run()).toMatchObject({ status: 2, stderr: expect.stringContaining('Name one file') });
  expect(run('no.ts')).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('no file no.ts'),
  });
  expect(run(app, '--agents', 'nobody')).toMatchObject({
    status: 1,
    stdout: '',
    stderr: 'mcp() names the agent "nobody", which the server does not have. Agents: clerk.\n',
  });
  expect(run(noApp)).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/no-app\.ts exports no app\. Export one: .*\n$/),
  });
  // The sources of the workspace, not what was built of them.
  expect(run(noApp).stderr).toMatch(/^file:.*core\/src\/index\.ts\n[^\n]+\n$/);
  expect(run('--version')).toMatchObject({ status: 0, stdout: '0.1.0\n' });
}, 20_000);

function structured(result: object): {
  readonly status: string;
  readonly run_id: string;
  readonly interruptions: readonly { readonly id: string }[];
} {
  return JSON.parse(JSON.stringify(result)).structuredContent;
}
