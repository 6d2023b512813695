import { afterAll, beforeAll, expect, test } from 'vitest';
import { effectsServer } from '../../../stores-sqlite/test/kill/effects-server.ts';
import { sideBySide } from '../../../stores-sqlite/test/kill/kill.ts';
import { startAzurite } from '../azurite.ts';
import { handedOver } from './hand-over.ts';
import { boundaries, checkRecovery, killCases, moments, type Bench } from './kill.ts';
import { scenarioOf } from './scenarios.ts';

// Over HTTP and the queue, with the real library of Azure Functions; `npm run soak` does every boundary of every scenario.

let bench: Bench;

/** Other tests take the machine's time: `npm run soak`, which has it alone, holds to the lease and two seconds. */
const withinMs = 8_000;

beforeAll(async () => {
  bench = { azurite: await startAzurite(), effects: await effectsServer() };
});
afterAll(async () => {
  await bench.effects.close();
  await bench.azurite.stop();
});

test('killed before and after every write, a run with each kind of tool loses and repeats nothing', async () => {
  const scenario = scenarioOf('all effects side by side');
  const outcomes = await killCases(bench, scenario, boundaries(1, 6));
  expect(outcomes.filter(({ killed }) => killed)).toHaveLength(12);
  for (const outcome of outcomes) checkRecovery(outcome, scenario.name, withinMs);
}, 60_000);

test('killed at 20 seeded moments, runs go on by the queue alone, and lose and repeat nothing', async () => {
  await sideBySide(moments(1, 20), 3, async ({ scenario, plan }) => {
    const [outcome] = await killCases(bench, scenario, [plan]);
    if (outcome !== undefined) checkRecovery(outcome, scenario.name, withinMs);
  });
}, 90_000);

test.each(['json', 'later', 'stream'] as const)(
  'a worker that is stopped lets its tool settle, and the next one goes on within two seconds (%s)',
  async (asking) => {
    const { events, stoppedAt } = await handedOver(bench, scenarioOf('slow'), asking);
    const result = events.findIndex(({ type }) => type === 'tool-result');
    expect(events[result]).toMatchObject({ how: 'ran', isError: false });
    const [settledAt, goesOnAt] = [events[result]?.at ?? 0, events[result + 1]?.at ?? Infinity];
    expect(settledAt - stoppedAt).toBeLessThan(2_000);
    expect(goesOnAt - settledAt).toBeLessThan(2_000);
    expect(events.at(-1)).toMatchObject({ type: 'run-end', status: 'completed' });
    expect(events.map(({ type }) => type)).not.toContain('run-resume');
  },
  30_000,
);
