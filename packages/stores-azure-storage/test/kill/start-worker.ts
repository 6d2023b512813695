import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { AtWrite } from './standing-store.ts';
import type { WorkerLine, WorkerOrder } from './worker.ts';

/** A worker in a process of its own. */
export interface Worker {
  readonly url: string;
  /** Writes of each session's run so far. */
  readonly writes: ReadonlyMap<string, number>;
  /** Sessions whose run stands still. */
  readonly still: ReadonlySet<string>;
  /** What went wrong in it. */
  readonly notes: readonly string[];
  /** Whether it has ended. */
  readonly ended: boolean;
  /** From now on it takes wakes from the queue. */
  pump(): void;
  /** What the host does before it stops a worker; resolves when the process has ended. */
  terminate(): Promise<void>;
  kill(): Promise<void>;
}

/** Starts a worker; resolves when it serves. */
export async function startWorker(
  connectionString: string,
  order: Omit<WorkerOrder, 'stand'>,
  stand: ReadonlyMap<string, AtWrite> = new Map(),
): Promise<Worker> {
  const whole: WorkerOrder = {
    ...order,
    stand: [...stand].map(([sessionId, at]) => ({ sessionId, at })),
  };
  const child = spawn(
    process.execPath,
    [
      '--conditions=@agent-functions/source',
      '--disable-warning=ExperimentalWarning',
      fileURLToPath(new URL('worker.ts', import.meta.url)),
      JSON.stringify(whole),
    ],
    {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: {
        ...process.env,
        AzureWebJobsStorage: connectionString,
        FUNCTIONS_WORKER_RUNTIME: 'node',
      },
    },
  );
  const writes = new Map<string, number>();
  const still = new Set<string>();
  const notes: string[] = [];
  let over = false;
  const exited = new Promise<void>((resolve) => {
    child.once('close', () => {
      over = true;
      resolve();
    });
  });
  child.stderr.setEncoding('utf8');
  child.stderr.on('data', (text: string) => notes.push(text));
  const url = await new Promise<string>((resolve, reject) => {
    const take = (line: WorkerLine): void => {
      switch (line.type) {
        case 'ready':
          resolve(line.url);
          return;
        case 'write':
          writes.set(line.sessionId, line.write);
          return;
        case 'still':
          still.add(line.sessionId);
          return;
        case 'note':
          notes.push(line.text);
          return;
        default:
          line satisfies never;
      }
    };
    let rest = '';
    child.stdout.setEncoding('utf8');
    child.stdout.on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (line.startsWith('{')) take(JSON.parse(line));
        else notes.push(line);
      }
    });
    child.once('error', reject);
    void exited.then(() => reject(new Error(`The worker did not start:\n${notes.join('\n')}`)));
  });
  return {
    url,
    writes,
    still,
    notes,
    get ended() {
      return over;
    },
    pump: () => void child.stdin.write('pump\n'),
    terminate() {
      child.stdin.write('terminate\n');
      return exited;
    },
    kill() {
      child.kill('SIGKILL');
      return exited;
    },
  };
}
