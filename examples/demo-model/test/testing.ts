import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Middleware, ModelRequest } from '@agent-functions/core';

// What the tests of the examples share.

/** No service, no Ollama: what a machine without internet sees. */
const offline = { WEATHER_SOURCE: 'bundled', OLLAMA_HOST: '127.0.0.1:1' };

/** Remembers what each agent's model was asked; `requests` are those of a run, by agent, in order. */
export function recorder(): Middleware & {
  readonly requests: Map<string, ModelRequest[]>;
} {
  const requests = new Map<string, ModelRequest[]>();
  return {
    name: 'recorder',
    requests,
    wrapModelCall: (request, { agentPath }, next) => {
      const agent = agentPath.at(-1) ?? '';
      requests.set(agent, [...(requests.get(agent) ?? []), request]);
      return next(request);
    },
  };
}

/** What `npm start` of an example prints until it serves, as it stands in a README: with the usual port. */
export async function printedByStart(folder: string): Promise<string> {
  const child = spawn(
    process.execPath,
    ['--conditions=@agent-functions/source', 'src/start.ts', '--port', '0'],
    {
      cwd: folder,
      env: { PATH: process.env['PATH'], ...offline },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let errors = '';
  child.stderr.on('data', (bytes: Buffer) => (errors += bytes.toString()));
  const lines: string[] = [];
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      if (line.startsWith('serves at ')) return `${lines.join('\n').trim()}\n`;
      lines.push(line);
    }
    throw new Error(`It ended without serving:\n${lines.join('\n')}\n${errors}`);
  } finally {
    child.kill('SIGTERM');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
}

/** The conversation that the README of an example shows. */
export function shownInReadme(folder: string): string {
  const readme = readFileSync(`${folder}/README.md`, 'utf8');
  return /```text\n(.*?)```/s.exec(readme)?.[1] ?? '';
}

/** Builds the Functions app of an example. */
export function build(folder: string): void {
  const program = fileURLToPath(new URL('../build-function-app.mjs', import.meta.url));
  execFileSync(process.execPath, [program], { cwd: folder, stdio: 'pipe' });
}

/** The bundle of an example in a Functions worker. */
export interface Worker extends AsyncDisposable {
  readonly url: string;
  /** Whether answers stream. */
  readonly streams: boolean;
  readonly routes: readonly { readonly route: string }[];
}

/** Starts a worker in a process of its own, with settings of the app. Leaving the scope ends it. */
export async function startWorker(
  folder: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<Worker> {
  const program = fileURLToPath(new URL('functions-worker.ts', import.meta.url));
  const child = spawn(process.execPath, [program], {
    cwd: folder,
    env: { PATH: process.env['PATH'], ...offline, ...settings },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const end = async (): Promise<void> => {
    child.kill('SIGTERM');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  };
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith('{"url"')) return { ...JSON.parse(line), [Symbol.asyncDispose]: end };
  }
  await end();
  throw new Error('The worker ended without serving.');
}
