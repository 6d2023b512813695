import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { eventually, fixture, lives } from '../../test/client/processes.ts';
import { called, listed } from '../../test/client/runs.ts';
import { mcpTools } from './mcp-server.ts';
import type { McpOptions } from './options.ts';
import type { McpSource } from './source.ts';

let folder = '';
const open: McpSource[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mcp-'));
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((source) => source.close()));
  // No process is left, whatever the server did.
  for (const pid of await pids()) await eventually(() => !lives(pid));
  await rm(folder, { recursive: true });
});

async function pids(): Promise<readonly number[]> {
  const text = await readFile(join(folder, 'pids'), 'utf8').catch(() => '');
  return text.split('\n').filter(Boolean).map(Number);
}

function odd(how: string, options: McpOptions & { readonly name?: string } = {}): McpSource {
  const source = mcpTools({
    name: how,
    command: process.execPath,
    args: [...fixture('odd-server.ts'), how, join(folder, 'pids')],
    timeoutMs: 600,
    connectTimeoutMs: 3_000,
    reconnect: { minMs: 10 },
    ...options,
  });
  open.push(source);
  return source;
}

/** A run that must end within the time of a call, and two seconds, of its connecting. */
async function quick(...args: Parameters<typeof called>) {
  await listed(args[0][0] ?? odd('good')).catch(() => undefined);
  const begun = performance.now();
  const came = await called(...args);
  expect(came.result.status).toBe('completed');
  expect(performance.now() - begun).toBeLessThan(2_600);
  return came;
}

test('two servers with the same tool: the second has the name of its server before it', async () => {
  const sources = [odd('good', { name: 'first' }), odd('good', { name: 'second' })];
  await Promise.all(sources.map((source) => listed(source)));
  const { offered, results } = await quick(sources, [
    ['work', {}],
    ['second_work', {}],
  ]);
  expect(offered).toEqual(['work', 'rest', 'second_work', 'second_rest']);
  expect(results[0]?.result).not.toBe(results[1]?.result);
});

test('a server that never answers a call costs its timeout; its others go on', async () => {
  const { results, warnings } = await quick(
    [odd('never-answers')],
    [
      ['work', {}],
      ['rest', {}],
    ],
  );
  expect(results).toMatchObject([{ isError: true }, { isError: false }]);
  expect(results[0]?.result).toMatch(/Nobody knows whether work happened/);
  expect(warnings).toEqual([
    'mcp-timeout: work of MCP server never-answers took longer than 600 ms (timeoutMs).',
  ]);
});

test('a call that is silent for too long ends, even if it could take longer', async () => {
  const slow = odd('never-answers', { timeoutMs: 60_000, idleTimeoutMs: 300 });
  const { warnings } = await quick([slow], [['work', {}]]);
  expect(warnings).toEqual([
    'mcp-timeout: work of MCP server never-answers was silent for 300 ms (idleTimeoutMs).',
  ]);
});

test.each(['never-lists', 'deaf'])(
  'a server that is %s costs its own tools and one event, and the next turn does not wait again',
  async (how) => {
    const bad = odd(how, { connectTimeoutMs: 500, reconnect: { minMs: 10_000 } });
    const good = odd('good');
    await listed(good);
    const begun = performance.now();
    const { warnings, results } = await called([bad, good], [['work', {}]], [['rest', {}]]);
    expect(performance.now() - begun).toBeLessThan(2_500);
    expect(results).toMatchObject([{ isError: false }, { isError: false }]);
    expect(warnings).toEqual([
      expect.stringMatching(
        new RegExp(`^tool-source-unavailable: .*${how}.*within 500 ms \\(connectTimeoutMs\\)`),
      ),
    ]);
  },
);

test('a server that dies at its start says how, and its last words', async () => {
  const { warnings } = await called([odd('unlicensed'), odd('throws')]);
  expect(warnings).toEqual([
    expect.stringContaining(
      'MCP server unlicensed: its process ended with code 3, and said last on stderr: starting boom: no licence.',
    ),
    expect.stringMatching(
      /MCP server throws: its process ended with code 1, and said last on stderr: ….{487}configuration\./,
    ),
  ]);
});

test('a server that is required and not there fails the run', async () => {
  const missing = mcpTools({ name: 'gone', command: '/no/such/program', required: true });
  const { result } = await called([missing]);
  expect(result.status).toBe('failed');
  expect(result.error?.message).toContain(
    '"/no/such/program" did not start: there is no such program',
  );
});

test('a server that dies at every second call: that call is unknown, the next is made anew', async () => {
  const source = odd('dies');
  const { results, warnings } = await quick(
    [source],
    [['rest', {}]],
    [['work', {}]],
    [['rest', {}]],
    [['work', {}]],
    [['rest', {}]],
  );
  expect(results.map(({ isError }) => isError)).toEqual([false, true, false, true, false]);
  expect(new Set([0, 2, 4].map((at) => results[at]?.result)).size).toBe(3);
  expect(results[1]?.result).toMatch(/Nobody knows whether work happened/);
  expect(warnings).toEqual([
    'mcp-connection-lost: work of MCP server dies: the connection was closed.',
  ]);
});

test('a server that ends when it is asked something before the handshake gets another process', async () => {
  const { results } = await quick([odd('dies-at-probe')], [['work', {}]]);
  expect(results).toMatchObject([{ isError: false }]);
  expect(await pids()).toHaveLength(2);
});

test('a tool whose definition changes is left out until it is accepted', async () => {
  const source = odd('changes');
  const { results, offered, warnings } = await quick([source], [['rest', {}]], [['work', {}]]);
  expect(offered).toEqual(['rest']);
  expect(results).toMatchObject([{ isError: false }, { isError: true }]);
  expect(results[1]?.result).toContain('There is no tool named "work"');
  expect(warnings).toEqual([
    expect.stringMatching(/^mcp-tool-changed: The tool work of .* accept/),
  ]);
  await expect(source.accept(['wrok'])).rejects.toThrow(
    /no tool "wrok" to accept\. Tools: work, rest/,
  );
  await source.accept(['work']);
  expect((await called([source], [['work', {}]])).results).toMatchObject([{ isError: false }]);
});

test('a tool that does not fit the protocol is left out by name, and its others stay', async () => {
  const { results, offered, warnings } = await quick([odd('banana')], [['work', {}]]);
  expect(offered).toEqual(['work', 'rest']);
  expect(results).toMatchObject([{ isError: false }]);
  expect(warnings).toEqual([
    'mcp-tool-invalid: The tool banana of MCP server banana does not fit the protocol, and is left out (inputSchema.type: Invalid input: expected "object").',
  ]);
});

test('a tool is held to the fingerprint that was accepted, in another process too', async () => {
  const first = odd('good');
  const accepted = await first.fingerprints();
  expect(accepted).toEqual({
    rest: expect.stringMatching(/^[0-9a-f]{32}$/),
    work: expect.stringMatching(/^[0-9a-f]{32}$/),
  });
  expect((await listed(odd('good', { accepted }))).map(({ name }) => name)).toEqual([
    'work',
    'rest',
  ]);
  const other = odd('good', { accepted: { ...accepted, work: 'of another definition' } });
  expect((await listed(other)).map(({ name }) => name)).toEqual(['rest']);
});

test('an answer of 50 MB is not read; the model is told, and the server stays', async () => {
  const source = odd('good', { timeoutMs: 5_000 });
  await listed(source);
  const before = process.memoryUsage().rss;
  const { results, warnings } = await called(
    [source],
    [['work', { bytes: 50 * 1024 * 1024 }]],
    [['work', {}]],
  );
  expect(results).toMatchObject([{ isError: true }, { isError: false }]);
  expect(results[0]?.result).toMatch(
    /ran, but the answer is larger than 10485760 bytes \(maxMessageBytes\)/,
  );
  expect(warnings).toEqual([expect.stringMatching(/^mcp-answer-too-large: .*maxMessageBytes/)]);
  expect(process.memoryUsage().rss - before).toBeLessThan(60 * 1024 * 1024);
  expect(await pids()).toHaveLength(1);
});

test('a server that asks for sampling is refused, and its call goes on', async () => {
  const { results, warnings } = await quick([odd('samples')], [['work', {}]]);
  expect(results).toMatchObject([{ isError: false }]);
  expect(warnings).toEqual([
    'mcp-sampling-refused: MCP server samples asked for sampling/createMessage, which agents do not do for servers. It was refused.',
  ]);
});

test('a server that does not end by itself is ended', async () => {
  const source = odd('stubborn');
  await listed(source);
  const [pid = 0] = await pids();
  expect(lives(pid)).toBe(true);
  await source.close();
  expect(lives(pid)).toBe(false);
});

test('closing does not wait for a server that does not answer', async () => {
  const source = odd('deaf', { connectTimeoutMs: 60_000 });
  const listing = listed(source).then(
    () => 'tools',
    (error: unknown) => error,
  );
  await eventually(async () => (await pids()).length === 1);
  const begun = performance.now();
  await source.close();
  expect(performance.now() - begun).toBeLessThan(3_500);
  expect(await listing).toMatchObject({ message: 'MCP server deaf was closed.' });
});

test('what a server logs goes to the logger, and what it prints to stdout disturbs nothing', async () => {
  const lines: string[] = [];
  const logger = {
    log: (level: string, message: string) => void lines.push(`${level} ${message}`),
  };
  const source = odd('logs', { logger });
  const { results } = await called([source], [['work', {}]]);
  expect(results).toMatchObject([{ isError: false }]);
  await eventually(() => lines.includes('debug MCP server logs: on stderr'));
  expect(lines).toContain('warn MCP server logs: {"disk":"nearly full"}');
});

test('what a server said before it ended is heard', async () => {
  const source = odd('last-words', { timeoutMs: 5_000 });
  const { results, warnings } = await called([source], [['work', { bytes: 2 * 1024 * 1024 }]]);
  expect(results[0]?.isError).toBe(true);
  expect(results[0]?.result).toMatch(/is larger than \d+ bytes and is not shown/);
  expect(warnings).toEqual([]);
});
