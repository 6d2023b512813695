import { equal, ok } from './assert.ts';
import type { StoreCase } from './store-case.ts';
import { begin, endOf, refused } from './store-fixtures.ts';

/** What a store lists while others write: nothing twice, and nothing missing that was there before and stayed. */
export function pagingContract(it: StoreCase): void {
  it('lists runs in pages while others are created, end and are deleted', async ({
    store,
    other,
    pass,
  }) => {
    const old = Array.from({ length: 30 }, (_, index) => `old${index}`);
    for (const [index, runId] of old.entries()) {
      await begin(store, runId, { header: { owner: index % 2 === 0 ? 'ann' : 'bob' } });
      await pass(1);
    }
    let round = 0;
    const meanwhile = async (): Promise<void> => {
      round++;
      await begin(store, `new${round}`, { header: { owner: 'ann' } });
      await store.runs.append(`old${round}`, [endOf(`old${round}`, 2)], {
        expectedSeq: 1,
        token: 1,
      });
      await store.runs.delete(`new${round - 1}`);
      await pass(1);
    };
    const all = await pagesOf(({ cursor }) => other.runs.list({ limit: 4, cursor }), meanwhile);
    sees(all, old, 'all runs');
    const ofAnn = await pagesOf(
      ({ cursor }) => other.runs.list({ owner: 'ann', limit: 4, cursor }),
      meanwhile,
    );
    sees(
      ofAnn,
      old.filter((_, index) => index % 2 === 0),
      'the runs of an owner',
    );
    const unfinished = await pagesOf(
      ({ cursor }) => other.runs.list({ unfinished: true, limit: 4, cursor }),
      meanwhile,
    );
    sees(unfinished, ['old0', ...old.slice(round + 1)], 'the unfinished runs');
    ok(!unfinished.includes('old1'), 'none that had ended before');
  });

  it('lists sessions in pages while others are used', async ({ store, other, pass }) => {
    const old = Array.from({ length: 24 }, (_, index) => `old${index}`);
    const use = async (sessionId: string): Promise<void> => {
      const { version } = await store.sessions.load(sessionId);
      await store.sessions.commit(
        sessionId,
        { owner: 'ann' },
        { expectedVersion: version, operationId: `o${version}` },
      );
      await pass(1);
    };
    for (const sessionId of old) await use(sessionId);
    let round = 0;
    const seen = await pagesOf(
      async ({ cursor }) => {
        const page = await other.sessions.list({ owner: 'ann', limit: 4, cursor });
        return { ...page, runs: page.sessions.map(({ sessionId }) => ({ runId: sessionId })) };
      },
      async () => {
        round++;
        await use(`new${round}`);
        // One that was shown already, and one that is still to come: that one is now among the newest.
        await use('old23');
        await use(`old${round}`);
      },
    );
    const used = new Set(Array.from({ length: round }, (_, index) => `old${index + 1}`));
    sees(
      seen,
      old.filter((id) => !used.has(id)),
      'the sessions that nobody used meanwhile',
    );
  });

  it('refuses a cursor that is none of its own', async ({ store }) => {
    await begin(store, 'r1');
    for (const cursor of ["'; --", 'no cursor', '%00', '{"a":1}']) {
      await refused(store.runs.list({ limit: 2, cursor }), 'user_error', `runs, ${cursor}`);
      await refused(store.sessions.list({ limit: 2, cursor }), 'user_error', `sessions, ${cursor}`);
    }
  });
}

/** The ids of all pages; `meanwhile` happens between two. */
async function pagesOf(
  list: (at: { readonly cursor: string | undefined }) => Promise<{
    readonly runs: readonly { readonly runId: string }[];
    readonly cursor?: string | undefined;
  }>,
  meanwhile: () => Promise<void>,
): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await list({ cursor });
    ok(page.runs.length <= 4, 'the limit holds');
    ids.push(...page.runs.map(({ runId }) => runId));
    cursor = page.cursor;
    if (cursor !== undefined) await meanwhile();
  } while (cursor !== undefined);
  return ids;
}

function sees(seen: readonly string[], stayed: readonly string[], what: string): void {
  equal(new Set(seen).size, seen.length, `${what}: nothing twice, of ${seen.join(' ')}`);
  const there = new Set(seen);
  equal(
    stayed.filter((id) => !there.has(id)),
    [],
    `${what}: nothing missing`,
  );
}
