// A Functions worker in a process of its own, with the host's part beside it: serves a scenario's agent over HTTP, and
// takes wakes from the queue when it is told to. It tells what happens, one JSON object a line.
import { QueueServiceClient } from '@azure/storage-queue';
import { miniHost } from '../../../azure-functions/test/mini-host.ts';
import { AgentFunctionApp } from '../../../azure-functions/src/index.ts';
import { outsideAt } from '../../../stores-sqlite/test/kill/scenario.ts';
import { azureStorageStore } from '../../src/index.ts';
import { queuePump } from './queue-pump.ts';
import { scenarioOf } from './scenarios.ts';
import { standingStore, type AtWrite } from './standing-store.ts';

/** What a worker is told at its start. */
export interface WorkerOrder {
  readonly scenario: string;
  readonly prefix: string;
  /** Where the outside world counts. */
  readonly effects: string;
  readonly leaseMs: number;
  /** Where runs stand still, by session. */
  readonly stand: readonly { readonly sessionId: string; readonly at: AtWrite }[];
}

/** What a worker tells. */
export type WorkerLine =
  | { readonly type: 'ready'; readonly url: string }
  | { readonly type: 'write'; readonly sessionId: string; readonly write: number }
  | { readonly type: 'still'; readonly sessionId: string }
  | { readonly type: 'note'; readonly text: string };

const order: WorkerOrder = JSON.parse(process.argv[2] ?? '{}');
const tell = (line: WorkerLine): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

const store = standingStore(azureStorageStore({ prefix: order.prefix }), {
  at: new Map(order.stand.map(({ sessionId, at }) => [sessionId, at])),
  onWrite: (sessionId, write) => tell({ type: 'write', sessionId, write }),
  onStill: (sessionId) => tell({ type: 'still', sessionId }),
});
const agent = scenarioOf(order.scenario).agent(outsideAt(order.effects));
const host = await miniHost(
  () =>
    new AgentFunctionApp({
      agents: [agent],
      store,
      leaseMs: order.leaseMs,
      allowClientSessionIds: true,
      httpAuthLevel: 'anonymous',
      logger: {
        log: (level, message, fields) => {
          if (level === 'warn' || level === 'error') {
            tell({ type: 'note', text: `${message} ${JSON.stringify(fields ?? {})}` });
          }
        },
      },
    }),
);
const [trigger] = host.queues;
const connection = process.env[trigger?.connection ?? ''] ?? '';
const service = QueueServiceClient.fromConnectionString(connection);

process.stdin.setEncoding('utf8');
process.stdin.on('data', (text: string) => {
  for (const command of text.split('\n')) {
    if (command === 'pump') {
      const pump = queuePump(host, service, (note) => tell({ type: 'note', text: note }));
      process.once('beforeExit', () => void pump.stop());
    } else if (command === 'terminate') {
      void host.terminate().then(() => process.exit(0));
    }
  }
});
// The test that started it is gone.
process.stdin.on('end', () => process.exit(0));
tell({ type: 'ready', url: host.url });
