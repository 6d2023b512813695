import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Makes a repository in a temporary folder, with two commits and a note that is not committed yet. */
export function makeRepository(): { readonly folder: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-integration-'));
  const git = (...args: readonly string[]) =>
    execFileSync('git', args, {
      cwd: folder,
      stdio: 'pipe',
      // Nothing of this machine's settings; always the same hashes.
      env: {
        PATH: process.env['PATH'],
        GIT_CONFIG_GLOBAL: '/dev/null',
        GIT_AUTHOR_DATE: '2027-06-01T09:00:00Z',
        GIT_COMMITTER_DATE: '2027-06-01T09:00:00Z',
      },
    });
  git('init', '--quiet', '--initial-branch=main');
  git('config', 'user.name', 'Ada');
  git('config', 'user.email', 'ada@example.com');
  git('config', 'commit.gpgsign', 'false');
  const commit = (file: string, content: string, message: string): void => {
    writeFileSync(join(folder, file), content);
    git('add', '--all');
    git('commit', '--quiet', `--message=${message}`);
  };
  commit('README.md', '# Trip\n', 'Begin the trip');
  commit('packing.md', '- coat\n- boots\n', 'List what to pack');
  writeFileSync(join(folder, 'notes.md'), 'It rains in Bern.\n');
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
