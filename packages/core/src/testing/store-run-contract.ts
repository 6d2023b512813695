import { collect, equal, ok } from './assert.ts';
import type { StoreCase } from './store-case.ts';
import {
  begin,
  endOf,
  headerOf,
  refused,
  resumed,
  startOf,
  warning,
  winners,
} from './store-fixtures.ts';

export function runContract(it: StoreCase): void {
  it('creates run, first event and first lease in one write', async ({ store, other }) => {
    const header = headerOf('r1', { owner: 'ann', sessionId: 's1', traceparent: '00-1-2-01' });
    const before = await store.now();
    const made = await store.runs.create(header, startOf('r1'), { holder: 'h1', ttlMs: 1_000 });
    ok(made.created, 'created');
    equal(made.lease.holder, 'h1', 'the holder');
    const madeAt = made.lease.expiresAt - 1_000;
    ok(madeAt >= before && madeAt <= (await store.now()), 'the lease lasts by the clock');
    equal(await other.runs.header('r1'), header, 'the header');
    equal(await collect(other.runs.read('r1')), [startOf('r1')], 'the journal');
    equal(
      await other.runs.peek('r1'),
      { seq: 1, ended: false, lease: made.lease },
      'end and lease',
    );
  });

  it('answers a repeated create of the same holder with its lease', async ({ store, other }) => {
    for (const requestHash of [undefined, 'hash']) {
      const runId = `r-${requestHash}`;
      const lease = await begin(store, runId, { header: { requestHash } });
      const again = await other.runs.create(headerOf(runId, { requestHash }), startOf(runId), {
        holder: 'h1',
        ttlMs: 1_000,
      });
      equal(again, { created: true, lease }, 'the same answer');
      equal((await collect(store.runs.read(runId))).length, 1, 'one first event');
    }
  });

  it('answers a create with the same request hash with the run that is there', async ({
    store,
    other,
  }) => {
    await begin(store, 'r1', { header: { requestHash: 'same', owner: 'ann' } });
    const second = await other.runs.create(
      headerOf('r1', { requestHash: 'same', owner: 'ann', createdAt: 5 }),
      startOf('r1', 'Other text'),
      { holder: 'h2', ttlMs: 1_000 },
    );
    equal(
      second,
      { created: false, header: headerOf('r1', { requestHash: 'same', owner: 'ann' }) },
      'the header of the first',
    );
    equal(await collect(store.runs.read('r1')), [startOf('r1')], 'the first journal');
  });

  it('refuses a create with another request hash, or with none by another holder', async ({
    store,
  }) => {
    await begin(store, 'hashed', { header: { requestHash: 'one' } });
    await begin(store, 'plain');
    const at = { holder: 'h2', ttlMs: 1_000 };
    for (const header of [
      headerOf('hashed', { requestHash: 'two' }),
      headerOf('hashed'),
      headerOf('plain', { requestHash: 'one' }),
      headerOf('plain'),
    ]) {
      const { runId } = header;
      await refused(
        store.runs.create(header, startOf(runId), at),
        'idempotency_mismatch',
        `${runId} with ${header.requestHash}`,
      );
    }
  });

  it('lets exactly one of two creates at once make the run', async ({ store, other }) => {
    const create = (from: typeof store, holder: string) =>
      from.runs.create(headerOf('r1', { requestHash: 'same' }), startOf('r1'), {
        holder,
        ttlMs: 1_000,
      });
    const both = await Promise.all([create(store, 'h1'), create(other, 'h2')]);
    equal(both.filter(({ created }) => created).length, 1, 'one is new');
    equal((await collect(store.runs.read('r1'))).length, 1, 'one first event');
  });

  it('appends in order, all or nothing, for the present end only', async ({ store, other }) => {
    const { token } = await begin(store, 'r1');
    await store.runs.append('r1', [warning('r1', 2), warning('r1', 3)], { expectedSeq: 1, token });
    for (const expectedSeq of [1, 2, 4]) {
      await refused(
        other.runs.append('r1', [warning('r1', expectedSeq + 1)], { expectedSeq, token }),
        'run_conflict',
        `an append after ${expectedSeq}`,
        'seq',
      );
    }
    await other.runs.append('r1', [warning('r1', 4)], { expectedSeq: 3, token });
    equal(
      await collect(store.runs.read('r1')),
      [startOf('r1'), warning('r1', 2), warning('r1', 3), warning('r1', 4)],
      'the journal',
    );
  });

  it('refuses an append whose answer was lost, and shows that it was written', async ({
    store,
    other,
  }) => {
    const lease = await begin(store, 'r1');
    const append = () =>
      store.runs.append('r1', [warning('r1', 2)], { expectedSeq: 1, token: lease.token });
    await append();
    await refused(append(), 'run_conflict', 'the repeat', 'seq');
    equal(await other.runs.peek('r1'), { seq: 2, ended: false, lease }, 'still ours');
    equal(
      await collect(other.runs.read('r1', { after: 1 })),
      [warning('r1', 2)],
      'the own event is last, once',
    );
  });

  it('lets exactly one of two writers at one end append', async ({ store, other }) => {
    const { token } = await begin(store, 'r1', { ttlMs: 60_000 });
    for (let seq = 1; seq <= 20; seq++) {
      const append = (from: typeof store, who: string) =>
        from.runs.append('r1', [warning('r1', seq + 1, who)], { expectedSeq: seq, token });
      equal(await winners([append(store, 'a'), append(other, 'b')], 'run_conflict'), 1, 'one wins');
    }
    const journal = await collect(store.runs.read('r1'));
    equal(
      journal.map(({ seq }) => seq),
      Array.from({ length: 21 }, (_, index) => index + 1),
      'no gap, nothing twice',
    );
  });

  it('refuses an append to a run that is unknown, deleted or has ended', async ({ store }) => {
    const { token } = await begin(store, 'r1');
    await refused(
      store.runs.append('nobody', [warning('nobody', 2)], { expectedSeq: 1, token: 1 }),
      'not_found',
      'an unknown run',
    );
    await store.runs.append('r1', [endOf('r1', 2)], { expectedSeq: 1, token });
    await refused(
      store.runs.append('r1', [warning('r1', 3)], { expectedSeq: 2, token }),
      'run_conflict',
      'after the end',
      'seq',
    );
    await store.runs.delete('r1');
    await refused(
      store.runs.append('r1', [warning('r1', 3)], { expectedSeq: 2, token }),
      'not_found',
      'after the delete',
    );
  });

  it('lists newest first, in pages, by owner, by session, unfinished', async ({ store, other }) => {
    for (let index = 0; index < 12; index++) {
      const runId = `r${index}`;
      const { token } = await begin(store, runId, {
        header: {
          owner: index % 2 === 0 ? 'ann' : 'bob',
          sessionId: index % 3 === 0 ? 's/0' : undefined,
          createdAt: 1_000 + index,
        },
      });
      if (index >= 4) {
        await store.runs.append(runId, [endOf(runId, 2)], { expectedSeq: 1, token });
      }
    }
    const all = async (filter: {
      readonly owner?: string;
      readonly sessionId?: string;
      readonly unfinished?: boolean;
    }): Promise<string[]> => {
      const ids: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await other.runs.list({ ...filter, limit: 2, cursor });
        ok(page.runs.length <= 2, 'the limit holds');
        ids.push(...page.runs.map(({ runId }) => runId));
        cursor = page.cursor;
      } while (cursor !== undefined);
      return ids;
    };
    equal(
      await all({}),
      ['r11', 'r10', 'r9', 'r8', 'r7', 'r6', 'r5', 'r4', 'r3', 'r2', 'r1', 'r0'],
      'all',
    );
    equal(await all({ owner: 'bob' }), ['r11', 'r9', 'r7', 'r5', 'r3', 'r1'], 'of an owner');
    equal(await all({ sessionId: 's/0' }), ['r9', 'r6', 'r3', 'r0'], 'of a session');
    equal(await all({ unfinished: true }), ['r3', 'r2', 'r1', 'r0'], 'unfinished');
    equal(await all({ owner: 'ann', sessionId: 's/0', unfinished: true }), ['r0'], 'all three');
    equal(await all({ owner: 'nobody' }), [], 'nobody');
    const { runs } = await store.runs.list({ owner: 'ann', limit: 1 });
    equal(
      runs,
      [headerOf('r10', { owner: 'ann', createdAt: 1_010 })],
      'a list gives whole headers',
    );
  });

  it('deletes a run with its journal, inbox and decisions', async ({ store, other }) => {
    await begin(store, 'r1', { header: { owner: 'ann' } });
    await store.runs.post('r1', {
      id: 'd1',
      type: 'decide',
      decisions: [{ interruptionId: 'i1', approved: true }],
    });
    await other.runs.delete('r1');
    await other.runs.delete('r1');
    await other.runs.delete('nobody');
    equal(await store.runs.header('r1'), undefined, 'no header');
    equal(await collect(store.runs.read('r1')), [], 'no journal');
    equal(await store.runs.inbox('r1'), [], 'no inbox');
    equal((await store.runs.list({ owner: 'ann', limit: 5 })).runs, [], 'not listed');
    equal(await store.runs.acquire('r1', { holder: 'h1', ttlMs: 5 }), undefined, 'no lease');
    await begin(store, 'r1');
    const again = await store.runs.post('r1', {
      id: 'd2',
      type: 'decide',
      decisions: [{ interruptionId: 'i1', approved: false }],
    });
    equal(again, { accepted: true }, 'a run of the same id starts anew');
  });

  it('marks a run as ended with its run-end, for good', async ({ store, other }) => {
    const { token } = await begin(store, 'r1');
    await store.runs.append('r1', [resumed('r1', 2, 0)], { expectedSeq: 1, token });
    equal((await other.runs.peek('r1'))?.ended, false, 'not yet');
    await store.runs.append('r1', [warning('r1', 3), endOf('r1', 4)], { expectedSeq: 2, token });
    const peek = await other.runs.peek('r1');
    equal([peek?.seq, peek?.ended], [4, true], 'ended');
  });
}
