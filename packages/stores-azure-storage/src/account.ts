import { setTimeout as sleep } from 'node:timers/promises';
import { AgentError } from '@agent-functions/core';
import type { TableClient } from '@azure/data-tables';
import type { ContainerClient } from '@azure/storage-blob';
import type { QueueClient } from '@azure/storage-queue';
import type { Clock } from './clock.ts';
import { isRefusal, toStoreError } from './errors.ts';
import type { Names } from './names.ts';
import type { Connection } from './settings.ts';
import { table, type Ask, type Table } from './table.ts';

/** A storage account: its clients are loaded when they are first used, its tables made when they are first written. */
export interface Account {
  readonly runs: Table;
  readonly sessions: Table;
  readonly index: Table;
  blobs<T>(
    kind: 'read' | 'write',
    request: (container: ContainerClient, signal: AbortSignal) => Promise<T>,
  ): Promise<T>;
  queue<T>(
    name: string,
    request: (queue: QueueClient, signal: AbortSignal) => Promise<T>,
  ): Promise<T>;
  /** Best effort: something that nobody waits for but `close()`. If it fails, it is done another time, or not at all. */
  later(work: Promise<unknown>): void;
  readonly closed: boolean;
  close(): Promise<void>;
}

/** No table answers slower than this; then the answer counts as lost. */
const tableMs = 10_000;
/** Of a blob or a queue. */
const otherMs = 60_000;
/** A read is asked again after so long, when the service was busy or did not answer. */
const againMs = [100, 500];

export function account(options: {
  readonly connect: () => Connection;
  readonly names: Names;
  readonly clock: Clock;
  /** What errors name: the setting or option that says where the account is. */
  readonly where: string;
}): Account {
  const { connect, names, clock, where } = options;
  const pending = new Set<Promise<unknown>>();
  let closed = false;

  const checkOpen = (): void => {
    if (!closed) return;
    throw new AgentError('store_unavailable', `The store of ${where} was closed.`);
  };

  // Retries of the clients are off: what a repeat of a write finds must be told from what it made.
  const askOf =
    <C>(client: () => Promise<C>, make: (client: C) => Promise<void>, timeoutMs: number) =>
    async <T>(
      kind: 'read' | 'write',
      request: (client: C, signal: AbortSignal) => Promise<T>,
    ): Promise<T> => {
      let made = false;
      for (let tries = 0; ;) {
        checkOpen();
        try {
          return await request(await client(), AbortSignal.timeout(timeoutMs));
        } catch (thrown) {
          const error = toStoreError(thrown, where);
          if (isRefusal(error, 'no-place') && kind === 'write' && !made) {
            made = true;
            try {
              await make(await client());
            } catch (cause) {
              throw toStoreError(cause, where);
            }
            continue;
          }
          const waitMs = againMs[tries];
          const transient = AgentError.isInstance(error) && error.retryable;
          if (kind === 'write' || !transient || waitMs === undefined) throw error;
          tries += 1;
          await sleep(waitMs);
        }
      }
    };

  const tableOf = (name: string): Table => {
    const client = once(() => loadTable(connect(), name, clock));
    const ask: Ask = askOf(client, async (missing) => missing.createTable(), tableMs);
    return table(ask);
  };
  const container = once(() => loadContainer(connect(), names.values));
  const queues = new Map<string, () => Promise<QueueClient>>();
  return {
    runs: tableOf(names.runs),
    sessions: tableOf(names.sessions),
    index: tableOf(names.index),
    blobs: askOf(
      container,
      async (missing) => {
        await missing.createIfNotExists();
      },
      otherMs,
    ),
    queue(name, request) {
      let queue = queues.get(name);
      if (queue === undefined) {
        queue = once(() => loadQueue(connect(), name));
        queues.set(name, queue);
      }
      const make = async (missing: QueueClient): Promise<void> => {
        await missing.createIfNotExists();
      };
      return askOf(queue, make, otherMs)('write', request);
    },
    later(work) {
      const done: Promise<unknown> = work
        .catch(() => undefined)
        .finally(() => {
          pending.delete(done);
        });
      pending.add(done);
    },
    get closed() {
      return closed;
    },
    async close() {
      while (pending.size > 0) await Promise.all(pending);
      closed = true;
    },
  };
}

/** The value of the first call that succeeds. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () =>
    (made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    }));
}

async function loadTable(connection: Connection, name: string, clock: Clock): Promise<TableClient> {
  const { TableClient } = await import('@azure/data-tables');
  const options = { retryOptions: { maxRetries: 0 }, allowInsecureConnection: isPlain(connection) };
  const client =
    connection.type === 'connection-string'
      ? TableClient.fromConnectionString(connection.connectionString, name, options)
      : new TableClient(connection.endpoints.table, name, connection.credential, options);
  client.pipeline.addPolicy({
    name: 'agentFunctionsClock',
    async sendRequest(request, next) {
      const askedAt = Date.now();
      const response = await next(request);
      clock.heard(response.headers.get('date'), askedAt, Date.now());
      return response;
    },
  });
  return client;
}

async function loadContainer(connection: Connection, name: string): Promise<ContainerClient> {
  const { ContainerClient } = await import('@azure/storage-blob');
  const options = { retryOptions: { maxTries: 1 } };
  return connection.type === 'connection-string'
    ? new ContainerClient(connection.connectionString, name, options)
    : new ContainerClient(
        `${connection.endpoints.blob.replace(/\/$/, '')}/${name}`,
        connection.credential,
        options,
      );
}

async function loadQueue(connection: Connection, name: string): Promise<QueueClient> {
  const { QueueClient } = await import('@azure/storage-queue');
  const options = { retryOptions: { maxTries: 1 } };
  return connection.type === 'connection-string'
    ? new QueueClient(connection.connectionString, name, options)
    : new QueueClient(
        `${connection.endpoints.queue.replace(/\/$/, '')}/${name}`,
        connection.credential,
        options,
      );
}

/** Whether the table service is asked without TLS, as Azurite is. */
function isPlain(connection: Connection): boolean {
  return connection.type === 'endpoints'
    ? connection.endpoints.table.startsWith('http:')
    : /UseDevelopmentStorage=true|DefaultEndpointsProtocol=http;|TableEndpoint=http:/i.test(
        connection.connectionString,
      );
}
