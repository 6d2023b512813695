import { parentPort, workerData } from 'node:worker_threads';
import type { Answer, Slice, WorkerData } from './protocol.ts';
import type { Request } from './request.ts';
import { openDatabase } from './open-database.ts';
import { operations, type Operations } from './operations.ts';
import { toFailed } from './refusal.ts';

// The thread that owns the database: a DatabaseSync call blocks the thread it runs on, and this one serves nobody else.
// It imports nothing of core but types, because it is bundled on its own.

const port = parentPort;
const { path, synchronous }: WorkerData = workerData;
let open: { readonly operations: Operations; close(): void } | undefined;

const slices = new Map<number, string[]>();

port?.on('message', (message: Request | Slice) => {
  if ('staged' in message) {
    const before = slices.get(message.staged);
    if (before === undefined) slices.set(message.staged, [message.text]);
    else before.push(message.text);
    return;
  }
  const { id, name, args, now } = message;
  if (name === 'close') {
    open?.close();
    port.close();
    return;
  }
  let answer: Answer;
  try {
    open ??= opened();
    clock = now;
    // The client's types say that `args` are those of `name`.
    const value: unknown = Reflect.apply(open.operations[name], undefined, args);
    answer = { id, value };
  } catch (error) {
    answer = { id, failed: toFailed(error, path) };
  }
  port.postMessage(answer);
});

/** The clock of the present request, where a test sets one. */
let clock: number | undefined;

function opened(): { readonly operations: Operations; close(): void } {
  const database = openDatabase(path, synchronous);
  return {
    operations: operations(
      database,
      () => clock ?? Date.now(),
      (text) => {
        if (typeof text === 'string') return text;
        const whole = slices.get(text.staged)?.join('') ?? '';
        slices.delete(text.staged);
        return whole;
      },
    ),
    close: () => {
      database.close();
    },
  };
}
