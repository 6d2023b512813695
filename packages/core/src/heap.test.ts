import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import { z } from 'zod';

// What runs keep of the heap, measured in a process of its own (performance.md: M1, W6).

const measured = z.record(z.string(), z.number());
let bytes: z.infer<typeof measured> = {};

beforeAll(async () => {
  const probe = fileURLToPath(new URL('../test/heap-probe.ts', import.meta.url));
  const flags = ['--expose-gc', '--conditions=@agent-functions/source'];
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, probe]);
  bytes = measured.parse(JSON.parse(stdout));
}, 60_000);

test.each(['finished', 'streamed', 'watched'])('M1: nothing is kept of runs: %s', (how) => {
  expect(bytes[how]).toBeLessThanOrEqual(64);
});

// What is reached (7.9 and 9.9 KB) is held here, so that it does not grow: docs/decisions/0013.
test.each([
  ['inFlight', 9_000],
  ['inFlightStored', 11_000],
])('W6: a run in flight is small: %s', (how, budget) => {
  expect(bytes[how]).toBeLessThanOrEqual(budget);
});
