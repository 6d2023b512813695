import { spawn } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DevOptions } from './command.ts';
import type { Entry } from './entry.ts';

/** What the supervisor hands to the process that serves the app. */
export interface ChildTask extends Pick<
  DevOptions,
  'port' | 'host' | 'allowHost' | 'store' | 'verbose'
> {
  readonly entry: Entry;
}

/** What that process says of itself. */
export type ChildMessage =
  | { readonly type: 'listening'; readonly port: number }
  | { readonly type: 'cannot-listen' };

/** What it is told: how long answers in flight may go on before it ends. */
export interface StopMessage {
  readonly type: 'stop';
  readonly graceMs: number;
}

/** How a process ended: by itself, or by a signal. */
export interface Ended {
  readonly code: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
}

/** One load of the app, in a process of its own. */
export interface Child {
  readonly ended: Promise<Ended>;
  /** Asks it to stop, and ends it two seconds after `graceMs` if it did not. Resolves when it is gone. */
  stop(graceMs: number): Promise<void>;
  /** Ends it now. */
  kill(): void;
}

/** How long answers in flight may go on when the server is stopped, and when it is loaded anew. */
export const stopGraceMs = 1_000;
export const reloadGraceMs = 2_000;

const stopMs = 2_000;
// The sources of the workspace are run as they are; then so must be the packages that the app imports.
const extension = extname(fileURLToPath(import.meta.url));
const conditions = extension === '.ts' ? ['--conditions=@agent-functions/source'] : [];

export function startChild(task: ChildTask, heard: (message: ChildMessage) => void): Child {
  const file = fileURLToPath(new URL(`./child${extension}`, import.meta.url));
  const child = spawn(
    process.execPath,
    [...conditions, '--disable-warning=ExperimentalWarning', file, JSON.stringify(task)],
    { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
  );
  child.on('message', (message) => {
    if (isChildMessage(message)) heard(message);
  });
  const ended = new Promise<Ended>((resolve) => {
    child.once('error', () => resolve({ code: 1, signal: undefined }));
    child.once('exit', (code, signal) =>
      resolve({ code: code ?? undefined, signal: signal ?? undefined }),
    );
  });
  const kill = (): void => void child.kill('SIGKILL');
  return {
    ended,
    kill,
    stop: async (graceMs) => {
      // A process that cannot be told any more is about to end.
      if (child.connected) child.send({ type: 'stop', graceMs } satisfies StopMessage, () => {});
      const timer = setTimeout(kill, graceMs + stopMs);
      await ended;
      clearTimeout(timer);
    },
  };
}

function isChildMessage(value: unknown): value is ChildMessage {
  if (typeof value !== 'object' || value === null || !('type' in value)) return false;
  if (value.type === 'cannot-listen') return true;
  return value.type === 'listening' && 'port' in value && typeof value.port === 'number';
}
