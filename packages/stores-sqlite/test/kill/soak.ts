// `npm run soak [seed]`: every write boundary of every scenario, then 200 seeded moments.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sqliteStore } from '../../src/index.ts';
import { effectsServer } from './effects-server.ts';
import { boundariesOf, killCase, momentsOf, sideBySide } from './kill.ts';
import { scenarios } from './scenarios.ts';

const seed = Number(process.argv[2] ?? 1);
const folder = await mkdtemp(join(tmpdir(), 'agent-functions-soak-'));
const path = join(folder, 'runs.db');
const bench = {
  path,
  store: sqliteStore({ path, synchronous: 'normal' }),
  effects: await effectsServer(),
};
let cases = 0;
let killed = 0;
let unknown = 0;
const started = performance.now();
for (const scenario of scenarios) {
  const kills = await boundariesOf(bench, scenario);
  await sideBySide(kills, 6, async (kill) => {
    const outcome = await killCase(bench, scenario, kill);
    cases += 1;
    if (outcome.killed) killed += 1;
    unknown += outcome.unknown;
  });
  console.log(`${scenario.name}: ${kills.length} boundaries`);
}
await sideBySide(momentsOf(seed, 200), 6, async ({ scenario, kill }) => {
  const outcome = await killCase(bench, scenario, kill);
  cases += 1;
  if (outcome.killed) killed += 1;
  unknown += outcome.unknown;
});
console.log(
  `seed ${seed}: ${cases} cases, ${killed} processes killed, ${unknown} once calls reported as unknown; ` +
    `0 recorded steps repeated, 0 once effects twice, 0 lost; ${Math.round((performance.now() - started) / 1000)} s`,
);
await bench.effects.close();
await bench.store.close?.();
await rm(folder, { recursive: true });
