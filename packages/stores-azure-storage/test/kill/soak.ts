// `npm run soak [seed]`: every write boundary of every scenario over HTTP and the queue, then 60 seeded moments.
import { effectsServer } from '../../../stores-sqlite/test/kill/effects-server.ts';
import { sideBySide } from '../../../stores-sqlite/test/kill/kill.ts';
import { startAzurite } from '../azurite.ts';
import { boundaries, checkRecovery, killCases, moments, type Outcome } from './kill.ts';
import { scenarios } from './scenarios.ts';

const seed = Number(process.argv[2] ?? 1);
const bench = { azurite: await startAzurite(), effects: await effectsServer() };
const all: Outcome[] = [];
const started = performance.now();

const count = (outcomes: readonly Outcome[], where: string): void => {
  for (const outcome of outcomes) checkRecovery(outcome, where);
  all.push(...outcomes);
};

/** As many writes with one worker. */
const window = 6;
await sideBySide(scenarios, 2, async (scenario) => {
  let from = 1;
  // Side by side, frames do not always make as many writes: until a run comes to its end before it gets there.
  for (let ended = false; !ended; from += window) {
    const outcomes = await killCases(bench, scenario, boundaries(from, window));
    count(outcomes, scenario.name);
    ended = outcomes.some(({ killed }) => !killed);
  }
  console.log(`${scenario.name}: ${from - 1} writes, before and after`);
});
await sideBySide(moments(seed, 60), 3, async ({ scenario, plan }) => {
  count(await killCases(bench, scenario, [plan]), scenario.name);
});
const recovered = all.flatMap(({ recoveredInMs }) => recoveredInMs ?? []).toSorted((a, b) => a - b);
console.log(
  `seed ${seed}: ${all.length} runs, ${all.filter(({ killed }) => killed).length} killed, ` +
    `${all.reduce((sum, { unknown }) => sum + unknown, 0)} once calls reported as unknown; ` +
    `0 recorded steps repeated, 0 once effects twice, 0 lost; ` +
    `an abandoned run went on after ${recovered[Math.floor(recovered.length / 2)]} ms in the middle, ${recovered.at(-1)} ms at most; ` +
    `${Math.round((performance.now() - started) / 1000)} s`,
);
await bench.effects.close();
await bench.azurite.stop();
