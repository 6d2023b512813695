import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expectLegal, type CheckedRequest } from './checked-fetch.ts';

const folder = fileURLToPath(new URL('..', import.meta.url));
export const readme = `${folder}/README.md`;

/**
 * What a file of `src` prints, in an environment that holds only this, and whose APIs it asked. Fails where it ends with
 * an error, and where it sent what a vendor refuses.
 */
export async function ran(
  args: readonly string[],
  env: { readonly [name: string]: string } = {},
): Promise<{ readonly printed: string; readonly asked: readonly string[] }> {
  const reports = mkdtempSync(join(tmpdir(), 'requests-'));
  const report = join(reports, 'checked.json');
  try {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [
        '--conditions=@agent-functions/source',
        `--import=${new URL('report-requests.ts', import.meta.url).href}`,
        ...args,
      ],
      {
        cwd: folder,
        env: { PATH: process.env['PATH'], HOME: folder, CHECKED_REQUESTS: report, ...env },
      },
    );
    const checked: readonly CheckedRequest[] = JSON.parse(readFileSync(report, 'utf8'));
    expectLegal(checked);
    return { printed: stdout, asked: checked.map(({ api }) => api) };
  } finally {
    rmSync(reports, { recursive: true });
  }
}

export async function printedBy(...args: Parameters<typeof ran>): Promise<string> {
  return (await ran(...args)).printed;
}

/** Times are what differs. */
export function withoutTimes(text: string): string {
  return text
    .replaceAll(/\d+ ms/g, (time) => 'n ms'.padStart(time.length))
    .replaceAll(/ +n ms/g, ' n ms');
}

/** What the README says that `npm start` prints. */
export function shownInReadme(): string {
  return /```text\n(.*?)```/s.exec(readFileSync(readme, 'utf8'))?.[1] ?? '';
}

/** An address of this machine where nobody answers. */
export async function nobodyThere(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return `127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
}
