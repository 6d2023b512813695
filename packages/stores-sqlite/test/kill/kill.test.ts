import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sqliteStore } from '../../src/index.ts';
import { effectsServer } from './effects-server.ts';
import { handoffScenarios } from './handoff-scenarios.ts';
import {
  boundariesOf,
  killCase,
  momentsOf,
  sideBySide,
  walkBoundaries,
  type Bench,
} from './kill.ts';
import { soloScenarios } from './solo-scenarios.ts';

let bench: Bench;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'agent-functions-kill-'));
  const path = join(folder, 'runs.db');
  bench = {
    path,
    store: sqliteStore({ path, synchronous: 'normal' }),
    effects: await effectsServer(),
  };
});
afterAll(async () => {
  await bench.effects.close();
  await bench.store.close?.();
  await rm(folder, { recursive: true });
});

for (const scenario of soloScenarios) {
  test(`killed before and after every write, "${scenario.name}" loses and repeats nothing`, async () => {
    const kills = await boundariesOf(bench, scenario);
    let killed = 0;
    await sideBySide(kills, 6, async (kill) => {
      if ((await killCase(bench, scenario, kill)).killed) killed += 1;
    });
    expect(killed).toBe(kills.length);
  }, 120_000);
}

// Claim, create, confirm, three appends, the session's end: before and after each.
const fewest = 14;

for (const scenario of handoffScenarios) {
  test(`killed before and after every write, "${scenario.name}" loses and repeats nothing`, async () => {
    const outcomes = await walkBoundaries(bench, scenario);
    expect(outcomes.filter(({ killed }) => killed).length).toBeGreaterThanOrEqual(fewest);
  }, 120_000);
}

test('killed at seeded moments, runs lose and repeat nothing', async () => {
  await sideBySide(momentsOf(1, 30), 6, async ({ scenario, kill }) => {
    await killCase(bench, scenario, kill);
  });
}, 120_000);
