import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Place } from './world.ts';

/** A process that serves one version of the app. */
export interface AppProcess {
  readonly url: string;
  /** Runs that stand still in it. */
  readonly standing: ReadonlySet<string>;
  /** Ends it, at once or as a host that stops it does; ended, it stays so. */
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>;
}

export async function startApp(file: string, place: Place): Promise<AppProcess> {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', file, JSON.stringify(place)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const ended = once(child, 'close');
  const standing = new Set<string>();
  const lines = createInterface({ input: child.stdout });
  const url = await new Promise<string>((resolve, reject) => {
    lines.once('line', resolve);
    ended.then(() => reject(new Error(`${file} ended before it listened`)), reject);
  });
  lines.on('line', (runId) => standing.add(runId));
  return {
    url,
    standing,
    async end(signal) {
      child.kill(signal);
      await ended;
    },
  };
}
