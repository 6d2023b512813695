import { beforeAll, expect, test } from 'vitest';
import { mustRun } from '../lib/processes.ts';

interface Calls {
  readonly stringify: number;
  readonly stringifiedCharacters: number;
  readonly parse: number;
  readonly clone: number;
  readonly schemas: number;
}

interface Writes {
  readonly appends: number;
  readonly bytes: number;
  readonly other: readonly string[];
}

interface Measured {
  readonly turns20: Calls;
  readonly turns40: Calls;
  readonly turns80: Calls;
  readonly tools256: Calls;
  readonly writes10: Writes;
  readonly writes20: Writes;
  readonly writes160: Writes;
  readonly writes170: Writes;
  readonly heapOfFinishedRun: number;
}

let measured: Measured;
beforeAll(async () => {
  const { stdout } = await mustRun('node', ['--expose-gc', 'turn-probe.ts'], {
    cwd: import.meta.dirname,
  });
  measured = JSON.parse(stdout);
}, 120_000);

test('G1: a late turn stringifies, parses and clones no more than an early one', () => {
  const { turns20, turns40, turns80 } = measured;
  for (const what of ['stringify', 'stringifiedCharacters', 'parse', 'clone'] as const) {
    const early = (turns40[what] - turns20[what]) / 20;
    const late = (turns80[what] - turns40[what]) / 40;
    expect(late, `${what} a turn: ${early} early, ${late} late`).toBeLessThanOrEqual(
      early * 1.1 + 0.1,
    );
  }
});

test('G2: schemas are converted once for each tool of an agent, however many turns it takes', () => {
  expect(measured.turns80.schemas).toBe(1);
  expect(measured.tools256.schemas).toBe(256);
});

test('G2: 256 tools cost a turn no more calls than one', () => {
  expect(measured.tools256.stringify).toBeLessThanOrEqual(measured.turns20.stringify * 1.5);
  expect(measured.tools256.clone).toBeLessThanOrEqual(measured.turns20.clone * 1.5);
});

test('G3: what a late turn writes to the store is at most 1.5 times what an early one writes', () => {
  const { writes10, writes20, writes160, writes170 } = measured;
  const early = (writes20.bytes - writes10.bytes) / 10;
  const late = (writes170.bytes - writes160.bytes) / 10;
  expect(late / early, `${early} bytes early, ${late} late`).toBeLessThanOrEqual(1.5);
});

test('S1: a turn with one tool call writes at most 3 times to the store', () => {
  const { writes10, writes20 } = measured;
  const perTurn =
    (writes20.appends + writes20.other.length - writes10.appends - writes10.other.length) / 10;
  expect(perTurn).toBeLessThanOrEqual(3);
});

test('M1: a finished run without a store leaves at most 64 bytes of heap', () => {
  expect(measured.heapOfFinishedRun).toBeLessThanOrEqual(64);
});
