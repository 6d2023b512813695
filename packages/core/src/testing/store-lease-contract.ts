import type { Lease, Store } from '../store.ts';
import { equal, ok } from './assert.ts';
import type { StoreCase } from './store-case.ts';
import {
  begin,
  endOf,
  refused,
  resumed,
  toolSettled,
  toolStarted,
  warning,
} from './store-fixtures.ts';

const ttlMs = 1_000;

async function take(
  { runs }: Store,
  runId: string,
  holder: string,
): Promise<{ readonly lease: Lease; readonly attempt: number }> {
  const taken = await runs.acquire(runId, { holder, ttlMs });
  ok(taken, `${holder} takes the lease of ${runId}`);
  return taken;
}

export function leaseContract(it: StoreCase): void {
  it('gives a lease to one holder at a time', async ({ store, other, pass }) => {
    const first = await begin(store, 'r1');
    equal(await other.runs.acquire('r1', { holder: 'h2', ttlMs }), undefined, 'held');
    const again = await store.runs.acquire('r1', { holder: 'h1', ttlMs });
    equal(again, { lease: first, attempt: 0 }, 'repeated by its holder');
    await pass(ttlMs + 5);
    equal((await other.runs.peek('r1'))?.lease, undefined, 'lapsed');
    const { lease } = await take(other, 'r1', 'h2');
    ok(lease.token > first.token, 'the token grows');
    equal((await store.runs.peek('r1'))?.lease, lease, 'seen by everybody');
    const twice = await store.runs.acquire('r1', { holder: 'h2', ttlMs });
    equal(twice, { lease, attempt: 1 }, 'repeated, it is no other attempt');
    equal(await store.runs.acquire('r1', { holder: 'h1', ttlMs }), undefined, 'held again');
  });

  it('gives a free lease to exactly one of two who ask at once', async ({ store, other }) => {
    await store.runs.release('r1', await begin(store, 'r1'));
    const both = await Promise.all([
      store.runs.acquire('r1', { holder: 'h2', ttlMs }),
      other.runs.acquire('r1', { holder: 'h3', ttlMs }),
    ]);
    equal(both.filter((taken) => taken !== undefined).length, 1, 'one has it');
  });

  it('gives no lease of an unknown or an ended run', async ({ store, other, pass }) => {
    equal(await store.runs.acquire('nobody', { holder: 'h1', ttlMs }), undefined, 'unknown');
    const { token } = await begin(store, 'r1');
    await store.runs.append('r1', [endOf('r1', 2)], { expectedSeq: 1, token });
    await pass(ttlMs + 5);
    equal(await other.runs.acquire('r1', { holder: 'h2', ttlMs }), undefined, 'ended');
  });

  it('renews a lease that is still this one', async ({ store, other, pass }) => {
    const first = await begin(store, 'r1');
    await pass(600);
    const renewed = await store.runs.renew('r1', first, ttlMs);
    ok(renewed, 'renewed');
    equal(renewed.token, first.token, 'the same lease');
    ok(renewed.expiresAt > first.expiresAt, 'for longer');
    await pass(600);
    equal(await other.runs.acquire('r1', { holder: 'h2', ttlMs }), undefined, 'still held');
    await pass(600);
    await take(other, 'r1', 'h2');
    equal(await store.runs.renew('r1', renewed, ttlMs), undefined, 'taken by another');
    equal(await store.runs.renew('nobody', renewed, ttlMs), undefined, 'unknown run');
  });

  it('lets a holder come back to a lease that lapsed but was not taken', async ({
    store,
    other,
    pass,
  }) => {
    const lease = await begin(store, 'r1');
    await pass(ttlMs + 5);
    await store.runs.append('r1', [warning('r1', 2)], { expectedSeq: 1, token: lease.token });
    ok(await store.runs.renew('r1', lease, ttlMs), 'renewed after the lapse');
    equal(await other.runs.acquire('r1', { holder: 'h2', ttlMs }), undefined, 'held');
  });

  it('shuts out a holder whose lease was taken', async ({ store, other, pass }) => {
    const old = await begin(store, 'r1');
    await pass(ttlMs + 5);
    const { lease } = await take(other, 'r1', 'h2');
    await refused(
      store.runs.append('r1', [warning('r1', 2)], { expectedSeq: 1, token: old.token }),
      'run_conflict',
      'an append with the old token',
      'lease',
    );
    await store.runs.release('r1', old);
    equal((await other.runs.peek('r1'))?.lease, lease, 'an old lease releases nothing');
    await other.runs.append('r1', [warning('r1', 2)], { expectedSeq: 1, token: lease.token });
    await refused(
      store.runs.append('r1', [warning('r1', 3)], { expectedSeq: 2, token: old.token }),
      'run_conflict',
      'the right end with the old token',
      'lease',
    );
  });

  it('shuts out who released: its token, its renewal, a second release', async ({
    store,
    other,
  }) => {
    const lease = await begin(store, 'r1');
    await store.runs.release('r1', lease);
    await store.runs.release('r1', lease);
    await store.runs.release('nobody', lease);
    equal((await other.runs.peek('r1'))?.lease, undefined, 'nobody holds it');
    equal(await store.runs.renew('r1', lease, ttlMs), undefined, 'not renewed');
    await refused(
      store.runs.append('r1', [warning('r1', 2)], { expectedSeq: 1, token: lease.token }),
      'run_conflict',
      'an append after the release',
      'lease',
    );
    const next = await take(other, 'r1', 'h2');
    ok(next.lease.token > lease.token, 'the token grows after a release too');
  });

  it('does not answer a repeated create with a lease that is gone', async ({ store, other }) => {
    const header = { runId: 'r1', agent: 'weather', createdAt: 1, requestHash: 'same' };
    const first = warning('r1', 1);
    const made = await store.runs.create(header, first, { holder: 'h1', ttlMs });
    ok(made.created, 'created');
    await store.runs.release('r1', made.lease);
    const again = await store.runs.create(header, first, { holder: 'h1', ttlMs });
    equal(again, { created: false, header }, 'released');
    await take(other, 'r1', 'h1');
    const third = await store.runs.create(header, first, { holder: 'h1', ttlMs });
    equal(third, { created: false, header }, 'acquired anew');
  });

  it('counts the leases that lapsed in a row', async ({ store, other, pass }) => {
    await begin(store, 'r1');
    for (let attempt = 1; attempt <= 3; attempt++) {
      await pass(ttlMs + 5);
      equal((await take(other, 'r1', `h${attempt}`)).attempt, attempt, 'one more');
    }
  });

  it('does not count a lease that was released', async ({ store, pass }) => {
    let lease = await begin(store, 'r1');
    for (let round = 0; round < 3; round++) {
      await store.runs.release('r1', lease);
      await pass(ttlMs + 5);
      const taken = await take(store, 'r1', 'h2');
      equal(taken.attempt, 0, 'no attempt');
      lease = taken.lease;
    }
  });

  it('resets the count on progress, not when a run is taken up and its call begins again', async ({
    store,
    other,
    pass,
  }) => {
    await begin(store, 'r1');
    await pass(ttlMs + 5);
    const second = await take(other, 'r1', 'h2');
    equal(second.attempt, 1, 'one lapse');
    await other.runs.append('r1', [resumed('r1', 2, 1), toolStarted('r1', 3)], {
      expectedSeq: 1,
      token: second.lease.token,
    });
    await pass(ttlMs + 5);
    const third = await take(store, 'r1', 'h3');
    equal(third.attempt, 2, 'run-resume and tool-start are no progress');
    await store.runs.append('r1', [resumed('r1', 4, 2), warning('r1', 5)], {
      expectedSeq: 3,
      token: third.lease.token,
    });
    await pass(ttlMs + 5);
    const fourth = await take(other, 'r1', 'h4');
    equal(fourth.attempt, 3, 'nor is a warning');
    await other.runs.append('r1', [toolSettled('r1', 6)], {
      expectedSeq: 5,
      token: fourth.lease.token,
    });
    await pass(ttlMs + 5);
    equal((await take(store, 'r1', 'h5')).attempt, 1, 'a result is');
  });
}
