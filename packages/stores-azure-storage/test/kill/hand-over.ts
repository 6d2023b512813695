import { randomBytes } from 'node:crypto';
import { isDurable, keyedRunId, Runner, type RunEvent } from '@agent-functions/core';
import { eventually, verifyJournal } from '@agent-functions/core/testing';
import { outsideAt, type Scenario } from '../../../stores-sqlite/test/kill/scenario.ts';
import { azureStorageStore } from '../../src/index.ts';
import { ask, type Asking } from './client.ts';
import { leaseMs, type Bench } from './kill.ts';
import { startWorker } from './start-worker.ts';

/**
 * Stops a worker politely in the middle of a tool, with another one there; resolves with the journal and when the stop
 * was asked for. Nobody but the queue tells the other one.
 */
export async function handedOver(
  { azurite, effects }: Bench,
  scenario: Scenario,
  asking: Asking,
): Promise<{ readonly events: readonly RunEvent[]; readonly stoppedAt: number }> {
  const { connectionString } = azurite;
  const prefix = azurite.prefix();
  const store = azureStorageStore({ connectionString, prefix });
  const order = { scenario: scenario.name, prefix, effects: effects.url, leaseMs };
  const key = randomBytes(24).toString('hex');
  const agent = scenario.agent(outsideAt(effects.url));
  const runId = await keyedRunId(undefined, agent.name, key);
  const [first, second] = await Promise.all([
    startWorker(connectionString, order),
    startWorker(connectionString, order),
  ]);
  try {
    first.pump();
    const asked = ask(first.url, agent.name, { key, sessionId: `s-${key.slice(0, 12)}`, asking });
    await eventually(
      () => [...effects.counts.keys()].some((each) => each.startsWith(`${runId}/`)),
      'the tool works',
    );
    const stoppedAt = Date.now();
    second.pump();
    await first.terminate();
    await asked;
    await eventually(
      async () => (await store.runs.peek(runId))?.ended,
      `the run ends: ${second.notes.join('\n')}`,
      10_000,
    );
    const events: RunEvent[] = [];
    for await (const event of new Runner(agent, { store }).events(runId)) {
      if (isDurable(event)) events.push(event);
    }
    verifyJournal(events);
    return { events, stoppedAt };
  } finally {
    await Promise.all([first.kill(), second.kill()]);
    await store.close();
  }
}
