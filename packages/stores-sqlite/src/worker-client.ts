import { Worker } from 'node:worker_threads';
import {
  AgentError,
  IdempotencyMismatchError,
  NotFoundError,
  RunConflictError,
  SessionConflictError,
  StoreFullError,
} from '@agent-functions/core';
import type { Operations } from './operations.ts';
import type { Answer, Failed, Slice, WorkerData } from './protocol.ts';
import type { Request } from './request.ts';
import { workerUrl } from './worker-url.ts';

/** Asks the thread that owns the database. The thread starts with the first call. */
export interface WorkerClient {
  call<K extends keyof Operations>(
    name: K,
    ...args: Parameters<Operations[K]>
  ): Promise<ReturnType<Operations[K]>>;
  /** Hands over a text in slices; `id` is then what stands for it, once. */
  readonly stage: () => { readonly id: number; push(text: string): void };
  readonly closed: boolean;
  /** Lets what was asked finish, closes the database and ends the thread. */
  close(): Promise<void>;
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

export function workerClient(data: WorkerData, now: (() => number) | undefined): WorkerClient {
  const waiting = new Map<number, Waiting>();
  let worker: Worker | undefined;
  let ended: Promise<void> | undefined;
  let closed = false;
  let asked = 0;

  const start = (): Worker => {
    const started = new Worker(workerUrl, {
      name: 'agent-functions-sqlite',
      workerData: data,
      // In its own thread only: up to Node 24.14 `node:sqlite` warns that it is experimental.
      execArgv: ['--disable-warning=ExperimentalWarning'],
    });
    started.on('message', (answer: Answer) => {
      const { resolve, reject } = waiting.get(answer.id) ?? {};
      waiting.delete(answer.id);
      if (waiting.size === 0) started.unref();
      if ('failed' in answer) reject?.(toError(answer.failed));
      else resolve?.(answer.value);
    });
    let cause: unknown;
    started.on('error', (error) => (cause = error));
    ended = new Promise((resolve) => {
      started.on('exit', () => {
        worker = undefined;
        const lost = new AgentError(
          'internal',
          `The thread of the database '${data.path}' ended.`,
          {
            cause,
          },
        );
        for (const { reject } of waiting.values()) reject(lost);
        waiting.clear();
        resolve();
      });
    });
    // The process may end while nothing is asked.
    started.unref();
    return started;
  };
  const send = (name: Request['name'], args: readonly unknown[]): Promise<unknown> => {
    const asking = (worker ??= start());
    const id = ++asked;
    const request: Request = { id, name, args, now: now?.() };
    return new Promise((resolve, reject) => {
      if (waiting.size === 0) asking.ref();
      waiting.set(id, { resolve, reject });
      post(asking, request);
    });
  };

  return {
    get closed() {
      return closed;
    },
    // The protocol's types hold by the names: the worker answers what `Operations` says.
    async call(name, ...args): Promise<any> {
      if (closed) {
        throw new AgentError('store_unavailable', `The store of '${data.path}' was closed.`);
      }
      return await send(name, args);
    },
    stage() {
      const id = ++asked;
      return {
        id,
        push(text) {
          if (closed) return;
          const slice: Slice = { staged: id, text };
          post((worker ??= start()), slice);
        },
      };
    },
    async close() {
      closed = true;
      if (worker === undefined) return;
      worker.ref();
      const request: Request = { id: ++asked, name: 'close', args: [], now: undefined };
      post(worker, request);
      await ended;
    },
  };
}

function post(worker: Worker, message: Request | Slice): void {
  // The rule means windows; a worker thread has no origin.
  // oxlint-disable-next-line unicorn/require-post-message-target-origin
  worker.postMessage(message);
}

function toError({ kind, message, runId }: Failed): AgentError {
  switch (kind) {
    case 'seq':
    case 'lease':
      return new RunConflictError(message, { reason: kind, runId });
    case 'not-found':
      return new NotFoundError(message, { runId });
    case 'mismatch':
      return new IdempotencyMismatchError(message, { runId });
    case 'session-conflict':
      return new SessionConflictError(message);
    case 'full':
      return new StoreFullError(message);
    case 'unusable':
      return new AgentError('store_unavailable', message);
    case 'locked':
      return new AgentError('internal', message, { retryable: true });
    case 'internal':
      return new AgentError('internal', message);
    default:
      return kind satisfies never;
  }
}
