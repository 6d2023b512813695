import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { toolEnvironment } from './workspace.ts';

export interface CommandOptions {
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv | undefined;
  readonly timeoutMs?: number | undefined;
  /** Also show the output as it comes. */
  readonly show?: boolean | undefined;
}

export interface CommandResult {
  readonly code: number | null;
  /** Standard output and standard error, in the order they came. */
  readonly output: string;
  readonly stdout: string;
  readonly timedOut: boolean;
}

/**
 * Runs a command without standard input and waits for its end. The command and everything it started
 * is stopped when it takes longer than `timeoutMs` (10 minutes).
 */
export async function run(
  command: string,
  args: readonly string[],
  { cwd, env = toolEnvironment, timeoutMs = 600_000, show = false }: CommandOptions,
): Promise<CommandResult> {
  const child = startGroup(command, args, { cwd, env });
  let output = '';
  let stdout = '';
  child.stdout.on('data', (chunk: string) => {
    output += chunk;
    stdout += chunk;
    if (show) process.stdout.write(chunk);
  });
  child.stderr.on('data', (chunk: string) => {
    output += chunk;
    if (show) process.stdout.write(chunk);
  });
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    stopGroup(child.pid, 'SIGKILL');
  }, timeoutMs);
  try {
    const code = await new Promise<number | null>((resolve) => {
      child.once('error', (error) => {
        output += `${command} could not be started: ${error.message}\n`;
        resolve(null);
      });
      child.once('close', resolve);
    });
    return { code, output, stdout, timedOut };
  } finally {
    clearTimeout(timer);
    stopGroup(child.pid, 'SIGKILL');
  }
}

/** Like `run`, but anything except exit code 0 throws with the last lines of the output. */
export async function mustRun(
  command: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<CommandResult> {
  const result = await run(command, args, options);
  if (result.code === 0) return result;
  const ending = result.timedOut ? 'took too long' : `ended with ${result.code}`;
  throw new Error(
    `\`${command} ${args.join(' ')}\` in ${options.cwd} ${ending}:\n${tail(result.output, 40)}`,
  );
}

export interface Server extends AsyncDisposable {
  /** Everything the server printed so far. */
  output(): string;
}

/**
 * Starts a server and waits until `ready` answers true. Leaving the scope stops it and everything it started.
 * A server that ends, or is not ready within `timeoutMs` (60 s), throws with its output.
 */
export async function startServer(
  command: string,
  args: readonly string[],
  {
    cwd,
    env = toolEnvironment,
    ready,
    timeoutMs = 60_000,
  }: CommandOptions & { readonly ready: () => Promise<boolean> },
): Promise<Server> {
  const child = startGroup(command, args, { cwd, env });
  let output = '';
  let ended = false;
  const collect = (chunk: string): void => void (output += chunk);
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  child.once('error', (error) => {
    output += error.message;
    ended = true;
  });
  child.once('exit', () => (ended = true));
  const stop = async (): Promise<void> => {
    stopGroup(child.pid, 'SIGTERM');
    const giveUp = Date.now() + 5_000;
    while (groupAlive(child.pid) && Date.now() < giveUp) await sleep(50);
    stopGroup(child.pid, 'SIGKILL');
  };
  const giveUp = Date.now() + timeoutMs;
  while (!(await ready())) {
    if (ended || Date.now() > giveUp) {
      await stop();
      const what = ended ? 'ended before it was ready' : `was not ready after ${timeoutMs} ms`;
      throw new Error(`\`${command} ${args.join(' ')}\` ${what}:\n${tail(output, 40)}`);
    }
    await sleep(100);
  }
  return { output: () => output, [Symbol.asyncDispose]: stop };
}

/** Whether a GET of the address is answered with 2xx. */
export async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

/** A TCP port on 127.0.0.1 that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('No TCP port was given.');
  return address.port;
}

/** Whether nothing listens on that port of 127.0.0.1. */
export async function portIsFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** The last lines of a text. */
export function tail(text: string, lines: number): string {
  return text.trimEnd().split('\n').slice(-lines).join('\n');
}

// A process group of its own: stopping the group also stops what npx, pnpm and turbo started.
function startGroup(
  command: string,
  args: readonly string[],
  { cwd, env }: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
) {
  const child = spawn(command, args, {
    cwd,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.setEncoding('utf8');
  child.stderr.setEncoding('utf8');
  if (child.pid !== undefined) groups.add(child.pid);
  return child;
}

const groups = new Set<number>();

function stopGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  if (signal === 'SIGKILL') groups.delete(pid);
  try {
    process.kill(-pid, signal);
  } catch {
    // The group has ended.
  }
}

function groupAlive(pid: number | undefined): boolean {
  if (pid === undefined) return false;
  try {
    process.kill(-pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Stops every command that is still running; for a script that is interrupted. */
export function stopEverything(): void {
  for (const pid of groups) stopGroup(pid, 'SIGKILL');
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    stopEverything();
    process.exit(130);
  });
}
process.once('exit', stopEverything);
