import { relative } from 'node:path';
import {
  stopGraceMs,
  type ChildMessage,
  type ChildTask,
  type StopMessage,
} from './child-process.ts';
import { devServer, type DevServer } from './dev-server.ts';
import { ListenError } from './listen-error.ts';
import { complain, say } from './terminal.ts';

// The process that serves the app, one for each load. The supervisor tells it to stop; when the supervisor is killed, the
// channel between them closes: nobody is left behind.
let server: DevServer | undefined;
let stopping = false;

async function stop(graceMs: number): Promise<void> {
  if (stopping) return;
  stopping = true;
  await server?.close({ graceMs });
  process.exit(0);
}

process.on('message', (message: StopMessage) => void stop(message.graceMs));
process.on('disconnect', () => void stop(0));
process.on('SIGTERM', () => void stop(stopGraceMs));
// Ctrl-C reaches the whole process group; the supervisor decides.
process.on('SIGINT', () => undefined);
process.on('SIGHUP', () => undefined);

const task: ChildTask = JSON.parse(process.argv[2] ?? '{}');
// The app sees the command line that it would have by itself.
process.argv.splice(1, 2, task.entry.file);
try {
  server = await devServer({ ...task, write: say });
  await tell({ type: 'listening', port: server.port });
  server.summary.forEach(say);
} catch (error) {
  await explain(error);
  process.exit(1);
}

/** Resolves when it is sent: a process that exits at once would take its last words with it. */
function tell(message: ChildMessage): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) resolve();
    else process.send(message, undefined, undefined, () => resolve());
  });
}

async function explain(error: unknown): Promise<void> {
  if (error instanceof ListenError) {
    await tell({ type: 'cannot-listen' });
    complain(error.message);
    return;
  }
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  complain(`${relative(process.cwd(), task.entry.file)} does not load:`);
  console.error(error);
  if (code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX') {
    complain(
      'Node runs TypeScript by leaving its types out, so syntax that makes code (enum, namespace, parameter properties) is refused. Set "erasableSyntaxOnly": true in tsconfig.json to see it while writing.',
    );
  }
}
