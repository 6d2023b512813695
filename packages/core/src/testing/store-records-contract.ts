import type { JsonObject } from '../json.ts';
import type { Store } from '../store.ts';
import { equal, ok } from './assert.ts';
import type { StoreCase } from './store-case.ts';
import { refused } from './store-fixtures.ts';

/** Small documents of protocols, by collection and id. */
export function recordsContract(it: StoreCase): void {
  it('keeps a value under its collection and id', async ({ store, other }) => {
    equal(await store.records.get('push', 'a'), undefined, 'nothing yet');
    const value: JsonObject = {
      url: 'https://example.com',
      list: [1, null, 'ü'],
      deep: { on: true },
    };
    const version = await store.records.put('push', 'a', value, { expectedVersion: '0' });
    ok(version !== undefined && version !== '0', 'it says its version');
    equal(await other.records.get('push', 'a'), { id: 'a', version, value }, 'read back');
    equal(await other.records.get('pull', 'a'), undefined, 'another collection');
    equal(await other.records.get('push', 'A'), undefined, 'another id');
  });

  it('writes only where the version is the expected one', async ({ store, other }) => {
    const first = await store.records.put('push', 'a', { n: 1 }, { expectedVersion: '0' });
    equal(
      await other.records.put('push', 'a', { n: 2 }, { expectedVersion: '0' }),
      undefined,
      'it is there already',
    );
    const second = await other.records.put('push', 'a', { n: 2 }, { expectedVersion: first ?? '' });
    ok(second !== undefined && second !== first, 'a version for each put');
    equal(
      await store.records.put('push', 'a', { n: 3 }, { expectedVersion: first ?? '' }),
      undefined,
      'a stale version',
    );
    equal(
      await store.records.put('push', 'b', { n: 3 }, { expectedVersion: second ?? '' }),
      undefined,
      'a version of what is not there',
    );
    equal((await store.records.get('push', 'a'))?.value, { n: 2 }, 'as it was put');
  });

  it('lets exactly one of several puts at one version through', async ({
    store,
    other,
    volume,
  }) => {
    let expectedVersion = '0';
    for (let round = 0; round < volume.rounds; round++) {
      const puts = await Promise.all(
        [store, other, store].map((one, n) =>
          one.records.put('race', 'r', { round, n }, { expectedVersion }),
        ),
      );
      const made = puts.filter((version) => version !== undefined);
      equal(made.length, 1, `round ${round}`);
      expectedVersion = made[0] ?? '';
    }
  });

  it('lists a collection by the beginning of its ids, in pages', async ({ store, other }) => {
    const ids = ['t1.a', 't1.b', 't1.c', 't10.a', 't2.a', 'T1.a', 't1_x', 't1-x'];
    for (const id of ids) await store.records.put('push', id, { id }, { expectedVersion: '0' });
    await store.records.put('pull', 't1.z', {}, { expectedVersion: '0' });
    equal(await idsOf(other, 't1.', 2), ['t1.a', 't1.b', 't1.c'], 'of one beginning');
    equal(await idsOf(other, undefined, 3), ids.toSorted(), 'all of it');
    equal(await idsOf(other, 't3', 3), [], 'none');
    const { records } = await store.records.list('push', { prefix: 't2', limit: 5 });
    equal(
      records.map(({ value }) => value),
      [{ id: 't2.a' }],
      'with their values',
    );
    ok(records[0]?.version === (await store.records.get('push', 't2.a'))?.version, 'and versions');
  });

  it('deletes, again and again; what is made anew has a version of its own', async ({
    store,
    other,
  }) => {
    const first = await store.records.put('push', 'a', { n: 1 }, { expectedVersion: '0' });
    await other.records.delete('push', 'a');
    await store.records.delete('push', 'a');
    await store.records.delete('never', 'was');
    equal(await store.records.get('push', 'a'), undefined, 'gone');
    const second = await store.records.put('push', 'a', { n: 1 }, { expectedVersion: '0' });
    ok(second !== undefined && second !== first, 'not the version of the one before');
    equal(
      await other.records.put('push', 'a', { n: 2 }, { expectedVersion: first ?? '' }),
      undefined,
      'a version from before the delete',
    );
  });

  it('refuses keys and values that not every store could keep', async ({ store }) => {
    const put = (collection: string, id: string, value: JsonObject = {}) =>
      store.records.put(collection, id, value, { expectedVersion: '0' });
    await refused(put('Push', 'a'), 'user_error', 'a collection with a capital');
    await refused(put('', 'a'), 'user_error', 'no collection');
    await refused(put('push', ''), 'user_error', 'no id');
    await refused(put('push', 'a/b'), 'user_error', 'an id with a slash');
    await refused(put('push', 'x'.repeat(201)), 'user_error', 'a long id');
    await refused(put('push', 'a', { text: 'x'.repeat(30_001) }), 'user_error', 'a large value');
    ok(
      (await put('push', 'x'.repeat(200), { text: 'ü'.repeat(29_000) })) !== undefined,
      'the most',
    );
  });
}

async function idsOf(store: Store, prefix: string | undefined, limit: number): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await store.records.list('push', { prefix, limit, cursor });
    ok(page.records.length <= limit, 'a page is no longer than asked');
    ids.push(...page.records.map(({ id }) => id));
    cursor = page.cursor;
  } while (cursor !== undefined);
  return ids;
}
