// One process that may be killed: runs a scenario to its end on a shared file, and kills itself at the write it is told.
import { Runner } from '@agent-functions/core';
import { faultyStore } from '@agent-functions/core/testing';
import { sqliteStore } from '../../src/index.ts';
import { decide, outsideAt, scenarios } from './scenarios.ts';

interface Order {
  readonly path: string;
  readonly effects: string;
  readonly scenario: string;
  readonly key: string;
  readonly sessionId: string;
  readonly leaseMs: number;
  readonly kill: { readonly when: 'before' | 'after'; readonly write: number } | null;
}

const order: Order = JSON.parse(process.argv[2] ?? '{}');
const scenario = scenarios.find(({ name }) => name === order.scenario);
if (scenario === undefined) throw new Error(`no scenario ${order.scenario}`);

let writes = 0;
const die = (when: 'before' | 'after') => (call: { readonly write: number }) => {
  writes = call.write;
  if (order.kill?.when === when && order.kill.write === call.write) {
    process.kill(process.pid, 'SIGKILL');
    // The signal arrives before anything else can run in this thread; nothing after the kill may be written.
    return new Promise<void>(() => undefined);
  }
  return undefined;
};
const disk = sqliteStore({ path: order.path, synchronous: 'normal' });
const store = faultyStore(disk, { before: die('before'), after: die('after') });
const outside = outsideAt(order.effects);
const runner = new Runner(scenario.agent(outside), { store, leaseMs: order.leaseMs });

console.log('ready');
let result = await runner.run('Please do it.', {
  idempotencyKey: order.key,
  sessionId: order.sessionId,
});
while (result.status === 'interrupted') {
  const { runId } = result;
  const decisions = await Promise.all(
    result.interruptions.map((asked) => decide(runId, asked, outside)),
  );
  result = await runner.resume(runId, decisions);
}
console.log(JSON.stringify({ status: result.status, writes }));
await disk.close?.();
