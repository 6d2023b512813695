import { fileURLToPath } from 'node:url';
import { Agent } from '@agent-functions/core';
import { mcpTools } from '@agent-functions/mcp';
import { environmentModel } from 'demo-model';
import { gitScript } from '../demo-script.ts';

/** Reads a repository by itself, and commits after a person has agreed. */
export const git_agent = new Agent({
  name: 'git_agent',
  description:
    'Tells what happened in a git repository, and commits changes after a person agreed.',
  instructions: 'Look at the repository before you speak of it. Keep answers short.',
  model: environmentModel(gitScript),
  mcpServers: [
    mcpTools({
      name: 'git',
      command: process.execPath,
      args: [fileURLToPath(new URL('../servers/git-stdio.ts', import.meta.url))],
      env: { GIT_REPOSITORY: process.env['GIT_REPOSITORY'] ?? process.cwd() },
      // Our own server, so its hints count: what only reads may be repeated.
      trusted: true,
      needsApproval: { git_commit: 'always' },
    }),
  ],
});
