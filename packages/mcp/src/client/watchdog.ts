import { spawn, type ChildProcess } from 'node:child_process';

// A process that is killed cannot clean up after itself: its children live on, and not every server ends when its stdin
// does. So one small shell waits at a pipe of ours. When the pipe breaks, however we went, it ends what is left.

const script = `
all=
while read -r op pid; do
  case $op in
    +) all="$all $pid" ;;
    -) left=; for one in $all; do [ "$one" = "$pid" ] || left="$left $one"; done; all=$left ;;
  esac
done
end() { for one in $all; do kill -s "$1" -- "-$one" || kill "-$1" "-$one"; done 2>/dev/null; }
end TERM
[ -n "$all" ] && sleep 1
end KILL
`;

const living = new Set<number>();
let shell: ChildProcess | undefined;

/** Whether this system has process groups, which can be ended as one. */
export const groups = process.platform !== 'win32';

/** Ends this child's group when this process ends, whatever ends it. Answers what to call when the child has ended. */
export function guard(pid: number): () => void {
  if (living.size === 0) process.on('exit', endAll);
  living.add(pid);
  tell('+', pid);
  return () => {
    if (!living.delete(pid)) return;
    tell('-', pid);
    if (living.size > 0) return;
    process.off('exit', endAll);
    // Nobody is left to watch over.
    shell?.stdin?.end();
    shell = undefined;
  };
}

/** Sends a signal to a child and what it started. */
export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // It has ended.
  }
}

function endAll(): void {
  for (const pid of living) signalGroup(pid, 'SIGKILL');
}

function tell(op: '+' | '-', pid: number): void {
  if (shell === undefined) {
    const child = spawn('/bin/sh', ['-c', script], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
      env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin' },
    });
    shell = child;
    const gone = (): void => {
      if (shell === child) shell = undefined;
    };
    // Without a shell, the exit of this process still ends them, unless it is killed.
    child.on('error', gone);
    child.on('exit', gone);
    child.stdin.on('error', gone);
    child.unref();
    if ('unref' in child.stdin && typeof child.stdin.unref === 'function') child.stdin.unref();
  }
  shell.stdin?.write(`${op} ${pid}\n`);
}
