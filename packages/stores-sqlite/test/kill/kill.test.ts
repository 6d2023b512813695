import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sqliteStore } from '../../src/index.ts';
import {
  boundariesOf,
  effectsServer,
  killCase,
  momentsOf,
  sideBySide,
  type Bench,
} from './kill.ts';
import { scenarios } from './scenarios.ts';

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

for (const scenario of scenarios) {
  test(`killed before and after every write, "${scenario.name}" loses and repeats nothing`, async () => {
    const kills = await boundariesOf(bench, scenario);
    let killed = 0;
    await sideBySide(kills, 6, async (kill) => {
      if ((await killCase(bench, scenario, kill)).killed) killed += 1;
    });
    expect(killed).toBe(kills.length);
  }, 120_000);
}

test('killed at seeded moments, runs lose and repeat nothing', async () => {
  await sideBySide(momentsOf(1, 20), 6, async ({ scenario, kill }) => {
    await killCase(bench, scenario, kill);
  });
}, 120_000);
