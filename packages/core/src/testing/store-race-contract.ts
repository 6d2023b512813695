import type { Store } from '../store.ts';
import { collect, equal, ok } from './assert.ts';
import type { StoreCase } from './store-case.ts';
import {
  begin,
  endOf,
  headerOf,
  refused,
  startOf,
  userMessage,
  warning,
  winners,
} from './store-fixtures.ts';

/** Several at once, on both handles. */
const crowd = 8;

function each<T>(stores: readonly [Store, Store], ask: (store: Store, who: number) => Promise<T>) {
  return Array.from({ length: crowd }, (_, who) => ask(stores[who % 2 === 0 ? 0 : 1], who));
}

export function raceContract(it: StoreCase): void {
  it('lets exactly one of many writers at one end append, whole', async ({ store, other }) => {
    const { token } = await begin(store, 'r1', { ttlMs: 60_000 });
    for (let round = 0; round < 10; round++) {
      const expectedSeq = 1 + round * 3;
      const appends = each([store, other], (from, who) =>
        from.runs.append(
          'r1',
          [1, 2, 3].map((n) => warning('r1', expectedSeq + n, `writer ${who}`)),
          { expectedSeq, token },
        ),
      );
      equal(await winners(appends, 'run_conflict'), 1, 'one wins');
    }
    const journal = await collect(other.runs.read('r1'));
    equal(
      journal.map(({ seq }) => seq),
      Array.from({ length: 31 }, (_, index) => index + 1),
      'no gap, nothing twice',
    );
    const writers = journal
      .slice(1)
      .map((event) => (event.type === 'warning' ? event.message : ''));
    for (let at = 0; at < writers.length; at += 3) {
      equal(new Set(writers.slice(at, at + 3)).size, 1, 'an append is not mixed with another');
    }
  });

  it('makes one run of many creates at once, and gives one of them its lease', async ({
    store,
    other,
  }) => {
    const header = headerOf('r1', { requestHash: 'same' });
    const made = await Promise.all(
      each([store, other], (from, who) =>
        from.runs.create(header, startOf('r1'), { holder: `h${who}`, ttlMs: 60_000 }),
      ),
    );
    equal(made.filter(({ created }) => created).length, 1, 'one is new');
    equal((await collect(other.runs.read('r1'))).length, 1, 'one first event');
    const creates = each([store, other], (from, who) =>
      from.runs.create(headerOf('r2'), startOf('r2'), { holder: `h${who}`, ttlMs: 60_000 }),
    );
    equal(await winners(creates, 'idempotency_mismatch'), 1, 'without a hash the rest is refused');
  });

  it('answers a create that is repeated at once, or after more was written, as the first time', async ({
    store,
    other,
  }) => {
    const create = (from: Store) =>
      from.runs.create(headerOf('r1'), startOf('r1'), { holder: 'h1', ttlMs: 60_000 });
    const made = await Promise.all(each([store, other], (from) => create(from)));
    const [first] = made;
    ok(first?.created, 'created');
    for (const answer of made) equal(answer, first, 'the same answer');
    await store.runs.append('r1', [warning('r1', 2)], { expectedSeq: 1, token: first.lease.token });
    const again = await create(other);
    ok(again.created && again.lease.token === first.lease.token, 'still its lease');
    equal((await store.runs.peek('r1'))?.seq, 2, 'nothing is undone');
  });

  it('gives a lapsed lease to exactly one of many', async ({ store, other, pass }) => {
    await begin(store, 'r1', { ttlMs: 200 });
    await pass(205);
    const taken = await Promise.all(
      each([store, other], (from, who) =>
        from.runs.acquire('r1', { holder: `h${who}`, ttlMs: 60_000 }),
      ),
    );
    const won = taken.filter((one) => one !== undefined);
    equal(
      won.map(({ attempt }) => attempt),
      [1],
      'one has it, at its first attempt',
    );
    equal((await other.runs.peek('r1'))?.lease, won[0]?.lease, 'as everybody sees');
  });

  it('lets either the holder of a lapsed lease or who takes it write next, never both', async ({
    store,
    other,
    pass,
    volume,
  }) => {
    for (let round = 0; round < volume.rounds; round++) {
      const runId = `r${round}`;
      const old = await begin(store, runId, { ttlMs: 100 });
      await pass(105);
      const [append, taken] = await Promise.allSettled([
        store.runs.append(runId, [warning(runId, 2, 'old')], { expectedSeq: 1, token: old.token }),
        other.runs.acquire(runId, { holder: 'h2', ttlMs: 60_000 }),
      ]);
      ok(taken.status === 'fulfilled' && taken.value, 'who asks for a lapsed lease gets it');
      const { token } = taken.value.lease;
      const end = (await other.runs.peek(runId))?.seq ?? 0;
      equal(end, append.status === 'fulfilled' ? 2 : 1, 'an append that was refused is not there');
      const next = (from: Store, who: string, by: number) =>
        from.runs.append(runId, [warning(runId, end + 1, who)], { expectedSeq: end, token: by });
      const old2 = next(store, 'old', old.token);
      const new2 = next(other, 'new', token);
      new2.catch(() => undefined);
      await refused(old2, 'run_conflict', 'the holder that came back', 'lease');
      await new2;
      const journal = await collect(store.runs.read(runId));
      equal(journal.at(-1), warning(runId, end + 1, 'new'), 'the new holder wrote');
      equal(await store.runs.renew(runId, old, 60_000), undefined, 'the old one renews nothing');
      await store.runs.release(runId, old);
      equal((await other.runs.peek(runId))?.lease?.token, token, 'and releases nothing');
    }
  });

  it('does not count a lapsed lease that its holder releases before somebody takes it', async ({
    store,
    other,
    pass,
  }) => {
    const lease = await begin(store, 'r1', { ttlMs: 100 });
    await pass(105);
    await store.runs.release('r1', lease);
    equal((await other.runs.acquire('r1', { holder: 'h2', ttlMs: 100 }))?.attempt, 0, 'no attempt');
  });

  it('ends a run once, whoever tries at the same time', async ({ store, other }) => {
    const { token } = await begin(store, 'r1');
    const ends = each([store, other], (from) =>
      from.runs.append('r1', [endOf('r1', 2)], { expectedSeq: 1, token }),
    );
    equal(await winners(ends, 'run_conflict'), 1, 'one end');
    equal(await store.runs.peek('r1').then((peek) => [peek?.seq, peek?.ended]), [2, true], 'ended');
  });

  it('makes one of many commits at one version', async ({ store, other }) => {
    let version = '0';
    for (let round = 0; round < 5; round++) {
      const commits = each([store, other], (from, who) =>
        from.sessions.commit(
          's1',
          { append: [userMessage(`m${round}`, `by ${who}`)] },
          { expectedVersion: version, operationId: `o${round}.${who}` },
        ),
      );
      equal(await winners(commits, 'session_conflict'), 1, 'one wins');
      const session = await other.sessions.load('s1');
      equal(session.messages.length, round + 1, 'its message only');
      version = session.version;
    }
  });

  it('makes an operation once that is repeated at once, and answers each repeat', async ({
    store,
    other,
  }) => {
    let version = '0';
    for (let round = 0; round < 5; round++) {
      const made = await Promise.all(
        each([store, other], (from) =>
          from.sessions.commit(
            's1',
            { append: [userMessage(`m${round}`, 'Hi')] },
            { expectedVersion: version, operationId: `end:r${round}` },
          ),
        ),
      );
      equal(new Set(made.map((one) => one.version)).size, 1, 'one version');
      ({ version } = await other.sessions.load('s1'));
      equal(made[0]?.version, version, 'the one that is there');
    }
    equal((await store.sessions.load('s1')).messages.length, 5, 'no message twice');
  });

  it('still knows an operation after others', async ({ store, other }) => {
    const commit = (operationId: string, expectedVersion: string) =>
      store.sessions.commit(
        's1',
        { append: [userMessage(operationId, 'Hi')] },
        { expectedVersion, operationId },
      );
    const first = await commit('end:r1', '0');
    let { version } = first;
    for (let later = 0; later < 20; later++) ({ version } = await commit(`o${later}`, version));
    equal(await commit('end:r1', '0'), first, 'the version it made');
    equal((await other.sessions.load('s1')).messages.length, 21, 'not made again');
  });

  it('keeps every signal that many post at once, each id once', async ({ store, other }) => {
    await begin(store, 'r1');
    const post = () =>
      each([store, other], (from, who) =>
        from.runs.post('r1', { id: `c${who % 4}`, type: 'cancel', by: `c${who % 4}` }),
      );
    for (const answer of await Promise.all([...post(), ...post()])) {
      equal(answer, { accepted: true }, 'accepted');
    }
    const ids = (await other.runs.inbox('r1')).map(({ id }) => id);
    equal(ids.toSorted(), ['c0', 'c1', 'c2', 'c3'], 'each once');
  });

  it('drains what an append names while others post', async ({ store, other }) => {
    const { token } = await begin(store, 'r1', { ttlMs: 60_000 });
    for (let seq = 1; seq <= 10; seq++) {
      await other.runs.post('r1', { id: `before${seq}`, type: 'cancel' });
      const drained = (await store.runs.inbox('r1')).map(({ id }) => id);
      await Promise.all([
        store.runs.append('r1', [warning('r1', seq + 1)], { expectedSeq: seq, token, drained }),
        other.runs.post('r1', { id: `while${seq}`, type: 'cancel' }),
      ]);
      const left = (await other.runs.inbox('r1')).map(({ id }) => id);
      equal(left, [`while${seq}`], 'what came meanwhile is left');
    }
  });

  it('deletes a run while its holder writes: what is left is nothing', async ({ store, other }) => {
    const { token } = await begin(store, 'r1', { header: { owner: 'ann', sessionId: 's1' } });
    const writing = (async () => {
      for (let seq = 1; seq < 50; seq++) {
        await store.runs.append('r1', [warning('r1', seq + 1)], { expectedSeq: seq, token });
      }
    })();
    const [written] = await Promise.allSettled([writing, other.runs.delete('r1')]);
    if (written.status === 'rejected') {
      await refused(writing, 'not_found', 'the holder learns it');
    }
    await other.runs.delete('r1');
    equal(await store.runs.header('r1'), undefined, 'no header');
    equal(await collect(store.runs.read('r1')), [], 'no event');
    for (const filter of [{}, { owner: 'ann' }, { sessionId: 's1' }, { unfinished: true }]) {
      equal((await store.runs.list({ ...filter, limit: 5 })).runs, [], 'not listed');
    }
    await begin(other, 'r1');
    equal(await collect(store.runs.read('r1')), [startOf('r1')], 'begins anew');
    equal(await store.runs.inbox('r1'), [], 'with an empty inbox');
  });
}
