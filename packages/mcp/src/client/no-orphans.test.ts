import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually, fixture, lives } from '../../test/client/processes.ts';
import { listed } from '../../test/client/runs.ts';
import { mcpTools } from './mcp-server.ts';

// The server ignores the end of its stdin, and SIGTERM.
test.each(['exit', 'throw', 'SIGTERM', 'SIGINT', 'SIGKILL'])(
  'a server ends with the process that uses it: %s',
  async (how) => {
    const folder = await mkdtemp(join(tmpdir(), 'mcp-'));
    const pids = join(folder, 'pids');
    const child = spawn(process.execPath, [...fixture('dies-with-server.ts'), how, pids], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const ended = once(child, 'exit');
    if (how === 'SIGTERM' || how === 'SIGINT' || how === 'SIGKILL') {
      await once(child.stdout, 'data');
      child.kill(how);
    }
    await ended;
    const pid = Number(await readFile(pids, 'utf8'));
    expect(pid).toBeGreaterThan(0);
    await eventually(() => !lives(pid));
    await rm(folder, { recursive: true });
  },
  20_000,
);

test('what a server starts ends with it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mcp-'));
  const pids = join(folder, 'pids');
  const server = [process.execPath, ...fixture('odd-server.ts'), 'stubborn', pids].join(' ');
  // As `npx` does: a shell between us and the server.
  const source = mcpTools({ name: 'wrapped', command: 'sh', args: ['-c', `${server}; true`] });
  expect(await listed(source)).toHaveLength(2);
  const pid = Number(await readFile(pids, 'utf8'));
  await source.close();
  await eventually(() => !lives(pid));
  await rm(folder, { recursive: true });
});

test('many that use a server first at the same time share one process', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mcp-'));
  const pids = join(folder, 'pids');
  const source = mcpTools({
    command: process.execPath,
    args: [...fixture('odd-server.ts'), 'good', pids],
  });
  const lists = await Promise.all(Array.from({ length: 20 }, () => listed(source)));
  expect(new Set(lists.map((tools) => tools.length))).toEqual(new Set([2]));
  expect((await readFile(pids, 'utf8')).trim().split('\n')).toHaveLength(1);
  await source.close();
  await rm(folder, { recursive: true });
});
