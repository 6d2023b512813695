import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A program of the tests as a process of its own, with its first line: the URL where it serves. */
export async function startProcess(
  file: string,
  env: Readonly<Record<string, string>>,
): Promise<{ readonly url: string } & AsyncDisposable> {
  const program = fileURLToPath(new URL(file, import.meta.url));
  const child = spawn(process.execPath, ['--conditions=@agent-functions/source', program], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const end = async (): Promise<void> => {
    child.kill('SIGTERM');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  };
  for await (const line of createInterface({ input: child.stdout })) {
    return { url: line, [Symbol.asyncDispose]: end };
  }
  await end();
  throw new Error(`${file} ended without serving.`);
}

/** One port in front of several servers: every connection goes to the next of them. */
export async function onePort(
  urls: readonly string[],
): Promise<{ readonly url: string; readonly served: readonly number[] } & AsyncDisposable> {
  const served = urls.map(() => 0);
  const open = new Set<Socket>();
  let next = 0;
  const server = createServer((incoming) => {
    const index = next++ % urls.length;
    served[index] = (served[index] ?? 0) + 1;
    const outgoing = connect(Number(new URL(urls[index] ?? '').port), '127.0.0.1');
    for (const [socket, other] of [
      [incoming, outgoing],
      [outgoing, incoming],
    ] as const) {
      open.add(socket);
      socket.pipe(other);
      socket.on('error', () => other.destroy());
      socket.once('close', () => open.delete(socket));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    served,
    [Symbol.asyncDispose]: async () => {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
