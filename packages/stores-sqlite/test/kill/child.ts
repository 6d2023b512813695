// One process that may be killed: runs a scenario, once for each case, on a shared file. A case stands still at the write
// it is told, and the process kills itself when each case stands still or has ended.
import { Runner } from '@agent-functions/core';
import { faultyStore } from '@agent-functions/core/testing';
import { sqliteStore } from '../../src/index.ts';
import type { ChildCase, ChildOrder } from './kill.ts';
import { outsideAt } from './scenario.ts';
import { toItsEnd } from './to-its-end.ts';
import { scenarioOf } from './scenarios.ts';

const order: ChildOrder = JSON.parse(process.argv[2] ?? '{}');
const scenario = scenarioOf(order.scenario);

const disk = sqliteStore({ path: order.path, synchronous: 'normal' });
const outside = outsideAt(order.effects);
let running = order.cases.length;
let still = 0;

/** One less to wait for. The signal arrives before anything else can run in this thread. */
const rest = (): void => {
  running -= 1;
  if (running === 0 && still > 0) process.kill(process.pid, 'SIGKILL');
};

async function run({ key, sessionId, kill }: ChildCase): Promise<void> {
  let writes = 0;
  let stands = false;
  const look = (when: 'before' | 'after') => (call: { readonly write: number }) => {
    writes = call.write;
    if (!stands && kill?.when === when && kill.write === call.write) {
      stands = true;
      still += 1;
      rest();
    }
    // Nothing is written from then on.
    return stands ? new Promise<void>(() => undefined) : undefined;
  };
  const store = faultyStore(disk, { before: look('before'), after: look('after') });
  const runner = new Runner(scenario.agent(outside), { store, leaseMs: order.leaseMs });
  try {
    await toItsEnd(runner, { key, sessionId, outside });
  } catch (error) {
    // The lease of a run that stands still may lapse before the process ends.
    if (!stands) throw error;
  }
  if (stands) return;
  console.log(JSON.stringify({ key, writes }));
  rest();
}

console.log('ready');
await Promise.all(order.cases.map(run));
await disk.close();
