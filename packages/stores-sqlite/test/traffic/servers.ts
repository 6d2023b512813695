import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** Two processes that serve one store. */
export interface Servers {
  readonly urls: readonly [string, string];
  /** Kills one of them and starts another in its place. */
  replace(index: 0 | 1): Promise<void>;
  close(): Promise<void>;
}

export interface ServerEnvironment {
  readonly store: string;
  readonly effects: string;
  readonly seed: number;
  readonly leaseMs: number;
}

export async function startServers(environment: ServerEnvironment): Promise<Servers> {
  let started = 0;
  const start = () => startServer({ ...environment, seed: environment.seed * 1_000 + started++ });
  const [one, two] = await Promise.all([start(), start()]);
  const servers = [one, two] as [Server, Server];
  return {
    get urls(): readonly [string, string] {
      return [servers[0].url, servers[1].url];
    },
    async replace(index) {
      await servers[index].kill();
      servers[index] = await start();
    },
    async close() {
      await Promise.all(servers.map((each) => each.kill()));
    },
  };
}

interface Server {
  readonly url: string;
  kill(): Promise<void>;
}

async function startServer({ store, effects, seed, leaseMs }: ServerEnvironment): Promise<Server> {
  const child = spawn(
    process.execPath,
    [
      '--conditions=@agent-functions/source',
      '--disable-warning=ExperimentalWarning',
      fileURLToPath(new URL('server-process.ts', import.meta.url)),
    ],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        ...process.env,
        STORE: store,
        EFFECTS: effects,
        SEED: String(seed),
        LEASE_MS: String(leaseMs),
      },
    },
  );
  const ended = once(child, 'close');
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve);
    ended.then(() => reject(new Error('A server ended before it listened.')), reject);
  });
  return {
    url,
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
