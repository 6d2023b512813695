import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const preload = new URL('loopback.mjs', import.meta.url).href;

const programs = {
  everything: require.resolve('@modelcontextprotocol/server-everything/dist/index.js'),
  filesystem: require.resolve('@modelcontextprotocol/server-filesystem/dist/index.js'),
  memory: require.resolve('@modelcontextprotocol/server-memory/dist/index.js'),
};

/** The program of a published server. */
export function published(name: keyof typeof programs): string {
  return programs[name];
}

/** A file of this folder, as arguments of Node. */
export function fixture(name: string): readonly string[] {
  return ['--conditions=@agent-functions/source', fileURLToPath(new URL(name, import.meta.url))];
}

export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** A server over HTTP that can be killed, and started again on its port. */
export class HttpServerProcess {
  readonly port: number;
  readonly #args: readonly string[];
  #child: ChildProcess | undefined;

  private constructor(port: number, args: readonly string[]) {
    this.port = port;
    this.#args = args;
  }

  static async start(args: readonly string[]): Promise<HttpServerProcess> {
    const started = new HttpServerProcess(await freePort(), args);
    await started.start();
    return started;
  }

  async start(): Promise<void> {
    const child = spawn(process.execPath, ['--import', preload, ...this.#args], {
      env: { ...process.env, PORT: String(this.port) },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child = child;
    await eventually(async () => (await fetch(`http://127.0.0.1:${this.port}/`)).status > 0);
  }

  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
}

/** Waits until it holds; a throw counts as not yet. */
export async function eventually(
  holds: () => boolean | Promise<boolean>,
  withinMs = 10_000,
): Promise<void> {
  const until = performance.now() + withinMs;
  for (;;) {
    const done = await Promise.resolve()
      .then(holds)
      .catch(() => false);
    if (done) return;
    if (performance.now() > until) throw new Error(`Not within ${withinMs} ms: ${String(holds)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Whether a process is there. */
export function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Arguments of Node, before a program's: its process writes its pid to the file that `PID_FILE` names. */
export const tellPid: readonly string[] = [
  '--import',
  new URL('tell-pid.mjs', import.meta.url).href,
];
