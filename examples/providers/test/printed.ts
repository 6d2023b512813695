import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const folder = fileURLToPath(new URL('..', import.meta.url));
export const readme = `${folder}/README.md`;

/** What a file of `src` prints, in an environment that holds only this. Fails where it ends with an error. */
export async function printedBy(
  args: readonly string[],
  env: { readonly [name: string]: string } = {},
): Promise<string> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--conditions=@agent-functions/source', ...args],
    { cwd: folder, env: { PATH: process.env['PATH'], HOME: folder, ...env } },
  );
  return stdout;
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
