import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { modelContract } from './index.ts';
import type { Bugs } from '../../test/lines-model.ts';
import { linesHarness } from '../../test/lines-harness.ts';

// A vendor that does not exist shows that the contract can be met; the broken variants show that it notices.

modelContract({ describe, it, beforeAll, afterAll }, 'lines of JSON', linesHarness());

/** Runs the contract with a runner of our own, and says which of its tests failed. */
async function failuresOf(bugs: Bugs, only: RegExp): Promise<string[]> {
  const tests: { title: string; body: () => void | Promise<void> }[] = [];
  modelContract(
    {
      describe: (_, body) => body(),
      it: (title, body) => tests.push({ title, body }),
      beforeAll: () => undefined,
      afterAll: () => undefined,
    },
    'broken',
    linesHarness(bugs),
  );
  const failed: string[] = [];
  for (const { title, body } of tests.filter((test) => only.test(test.title))) {
    try {
      await Promise.race([
        body(),
        new Promise((_, reject) => setTimeout(() => reject(new Error('too long')), 500)),
      ]);
    } catch {
      failed.push(title);
    }
  }
  return failed;
}

describe('modelContract', () => {
  it.each<[Bugs, RegExp]>([
    [{ noResponse: true }, /^streams text/],
    [{ collects: true }, /^gives deltas as they come/],
    [{ splitsLetters: true }, /^puts letters together/],
    [{ ignoresChoice: true }, /^forces one tool/],
    [{ losesProof: true }, /^gives the vendor its thoughts back/],
    [{ sendsForeign: true }, /^sends what other vendors/],
    [{ dropsFiles: true }, /^sends an image, or warns/],
    [{ countsRequests: true }, /^sends the same bytes/],
    [{ showsKey: true }, /authentication on 401/],
    [{ wrongReason: true }, /\(rate-limit\)/],
    [{ takesHalves: true }, /wherever the body ends/],
    [{ ignoresAbort: true }, /^ends within a second of an abort between/],
    [{ repeatsIds: true }, /^sends calls and results back/],
  ])('notices %j', async (bugs, title) => {
    expect(await failuresOf(bugs, title)).toHaveLength(1);
    expect(await failuresOf({}, title)).toHaveLength(0);
  });

  it('lists what a wire cannot have, with the reason', () => {
    const titles: string[] = [];
    const test = { it: (title: string) => void titles.push(title), beforeAll() {}, afterAll() {} };
    const cannot = { stop: 'it has no stop sequences' };
    modelContract({ ...test, describe: (_, body) => body() }, 'small', {
      ...linesHarness(),
      cannot,
    });
    expect(titles).toContain(
      'cannot: sends stop, or warns [stop], because it has no stop sequences',
    );
    expect(new Set(titles).size).toBe(titles.length);
    expect(titles.length).toBeGreaterThanOrEqual(60);
  });
});
