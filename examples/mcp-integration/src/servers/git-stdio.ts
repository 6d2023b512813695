import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { z } from 'zod';

// A server for one repository, over stdin and stdout: GIT_REPOSITORY says which.

const repository = process.env['GIT_REPOSITORY'] ?? '.';

async function git(...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('git', [...args], { cwd: repository });
  return stdout.trimEnd();
}

const text = (said: string) => ({ content: [{ type: 'text' as const, text: said }] });

serveStdio(() => {
  const server = new McpServer({ name: 'git', version: '1.0.0' });
  server.registerTool(
    'git_log',
    {
      description: 'The last commits: hash, author and subject of each.',
      inputSchema: z.object({ count: z.number().int().min(1).max(50) }),
      annotations: { readOnlyHint: true },
    },
    async ({ count }) => text(await git('log', `-${count}`, '--format=%h %an: %s')),
  );
  server.registerTool(
    'git_status',
    {
      description: 'The files that differ from the last commit.',
      annotations: { readOnlyHint: true },
    },
    async () => text(await git('status', '--short')),
  );
  server.registerTool(
    'git_commit',
    {
      description: 'Commits every change.',
      inputSchema: z.object({ message: z.string().min(1) }),
    },
    async ({ message }) => {
      await git('add', '--all');
      await git('commit', '--quiet', `--message=${message}`);
      return text(await git('log', '-1', '--format=%an: %s'));
    },
  );
  return server;
});
