import { setTimeout as wait } from 'node:timers/promises';
import { dirname, relative } from 'node:path';
import { reloadGraceMs, startChild, stopGraceMs, type Child, type Ended } from './child-process.ts';
import type { DevOptions } from './command.ts';
import type { Entry } from './entry.ts';
import { complain, paint, say } from './terminal.ts';
import { watchFolders } from './watch-folders.ts';

/**
 * Serves the app in a process of its own and, unless told otherwise, starts it anew whenever a file of it changes. A file
 * that does not load is shown, and the next save tries again. Resolves to the exit code, after Ctrl-C to 0; by then the
 * process of the app is gone.
 */
export async function supervise(entry: Entry, options: DevOptions): Promise<number> {
  let child: Child | undefined;
  const stopped = stopSignal(() => child?.kill());
  process.once('exit', () => child?.kill());
  const changes = options.reload ? watchEntry(entry) : neverChanges;
  let { port } = options;
  try {
    for (let first = true; ; first = false) {
      let cannotListen = false;
      child = startChild({ ...options, port, entry }, (message) => {
        if (message.type === 'listening') port = message.port;
        else cannotListen = true;
      });
      const what = await Promise.race([child.ended, stopped, changes.next()]);
      if (what === 'stop') {
        await child.stop(stopGraceMs);
        return 0;
      }
      if (typeof what === 'object') {
        if (!cannotListen) complain(`The app ended with ${endOf(what)}.`);
        if (!options.reload || (first && cannotListen)) return what.code ?? 1;
        say(paint('dim', 'Waiting for a change to start again. Ctrl-C ends.'));
        if ((await Promise.race([stopped, changes.next()])) === 'stop') return 0;
      }
      say(paint('dim', `\n${changes.last()} changed`));
      await child.stop(reloadGraceMs);
    }
  } catch (error) {
    complain(error instanceof Error ? error.message : String(error));
    return 1;
  } finally {
    child?.kill();
    changes.close();
  }
}

function endOf({ code, signal }: Ended): string {
  return signal ?? `exit code ${code ?? 'unknown'}`;
}

/** `'stop'` at the first Ctrl-C or termination; a second one is not patient. */
function stopSignal(again: () => void): Promise<'stop'> {
  return new Promise((resolve) => {
    let asked = false;
    const ask = (): void => {
      if (asked) again();
      asked = true;
      resolve('stop');
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, ask);
  });
}

interface Changes {
  /** Resolves when a file has changed since the last call resolved, and no further one did for a moment. */
  next(): Promise<'changed'>;
  last(): string;
  close(): void;
}

const neverChanges: Changes = {
  next: () => new Promise(() => undefined),
  last: () => '',
  close: () => undefined,
};

// Editors write a file in several steps, and formatters once more after that.
const quietMs = 60;

function watchEntry({ file, folder }: Entry): Changes {
  let last = '';
  let count = 0;
  let seen = 0;
  let wake: (() => void) | undefined;
  const watcher = watchFolders({ tree: dirname(file), folder }, (path) => {
    last = relative(process.cwd(), path);
    count += 1;
    wake?.();
  });
  const next = async (): Promise<'changed'> => {
    while (count === seen) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    do {
      seen = count;
      await wait(quietMs);
    } while (count !== seen);
    return 'changed';
  };
  // One waiter at a time: a race that something else won leaves its promise to the next one.
  let pending: Promise<'changed'> | undefined;
  return {
    next: () => {
      pending ??= next().finally(() => {
        pending = undefined;
      });
      return pending;
    },
    last: () => last,
    close: () => watcher.close(),
  };
}
