import type { Decision } from '../interruption.ts';
import type { Signal } from '../store.ts';
import { equal, ok } from './assert.ts';
import type { StoreCase } from './store-case.ts';
import { begin, endOf, refused, warning } from './store-fixtures.ts';

function decide(id: string, by: string | undefined, ...interruptions: readonly string[]): Signal {
  const decisions = interruptions.map((interruptionId): Decision => ({
    interruptionId,
    approved: false,
    message: `by ${id}`,
  }));
  return { id, type: 'decide', decisions, by };
}

const cancel: Signal = { id: 'c1', type: 'cancel', by: 'ann', reason: 'enough' };
const accepted = { accepted: true };

export function inboxContract(it: StoreCase): void {
  it('keeps signals in order, each id once', async ({ store, other }) => {
    await begin(store, 'r1');
    for (let round = 0; round < 2; round++) {
      equal(await other.runs.post('r1', cancel), accepted, 'cancel');
      equal(await other.runs.post('r1', decide('d1', 'ann', 'i1')), accepted, 'd1');
      equal(await store.runs.post('r1', decide('d2', 'ann', 'i2')), accepted, 'd2');
    }
    equal(
      await store.runs.inbox('r1'),
      [cancel, decide('d1', 'ann', 'i1'), decide('d2', 'ann', 'i2')],
      'oldest first',
    );
  });

  it('removes what an append drains in the same write, and still knows its id', async ({
    store,
    other,
  }) => {
    const { token } = await begin(store, 'r1');
    await other.runs.post('r1', cancel);
    await other.runs.post('r1', decide('d1', undefined, 'i1'));
    await refused(
      store.runs.append('r1', [warning('r1', 9)], { expectedSeq: 8, token, drained: ['c1'] }),
      'run_conflict',
      'an append at another end',
      'seq',
    );
    equal((await other.runs.inbox('r1')).length, 2, 'a refused append drains nothing');
    await store.runs.append('r1', [warning('r1', 2)], { expectedSeq: 1, token, drained: ['c1'] });
    equal(await other.runs.inbox('r1'), [decide('d1', undefined, 'i1')], 'one is left');
    await store.runs.append('r1', [warning('r1', 3)], { expectedSeq: 2, token, drained: ['d1'] });
    equal(await other.runs.post('r1', cancel), accepted, 'the same id after the drain');
    equal(await other.runs.post('r1', decide('d1', undefined, 'i1')), accepted, 'd1 too');
    equal(await store.runs.inbox('r1'), [], 'is not put in again');
    await other.runs.post('r1', { ...cancel, id: 'c2' });
    equal((await store.runs.inbox('r1')).length, 1, 'another id is');
  });

  it('takes a signal whatever the state of the run, except unknown', async ({ store, other }) => {
    const lease = await begin(store, 'r1');
    await store.runs.release('r1', lease);
    equal(await other.runs.post('r1', cancel), accepted, 'nobody holds it');
    await begin(store, 'r2');
    await store.runs.append('r2', [endOf('r2', 2)], { expectedSeq: 1, token: 1 });
    equal(await other.runs.post('r2', cancel), accepted, 'it has ended');
    await refused(store.runs.post('nobody', cancel), 'not_found', 'an unknown run');
  });

  it('counts the first decision of an interruption, for the whole set, after the drain too', async ({
    store,
    other,
  }) => {
    const { token } = await begin(store, 'r1');
    const first = decide('d1', 'ann', 'i1', 'i2');
    equal(await store.runs.post('r1', first), accepted, 'the first');
    const late = { accepted: false, counted: first };
    equal(await other.runs.post('r1', decide('d2', 'bob', 'i2', 'i3')), late, 'overlaps');
    await store.runs.append('r1', [warning('r1', 2)], { expectedSeq: 1, token, drained: ['d1'] });
    equal(await other.runs.post('r1', decide('d2', 'bob', 'i1')), late, 'after the drain');
    equal(await other.runs.post('r1', decide('d2', 'bob', 'i1')), late, 'however often');
    equal(await other.runs.post('r1', decide('d3', 'bob', 'i3')), accepted, 'i3 was left alone');
    equal(await store.runs.inbox('r1'), [decide('d3', 'bob', 'i3')], 'only what counts');
  });

  it('keeps the decisions of two runs apart', async ({ store, other }) => {
    await begin(store, 'r1');
    await begin(store, 'r2');
    equal(await store.runs.post('r1', decide('d1', 'ann', 'i1')), accepted, 'r1');
    equal(await other.runs.post('r2', decide('d1', 'bob', 'i1')), accepted, 'r2');
    equal(await store.runs.inbox('r2'), [decide('d1', 'bob', 'i1')], 'its own');
  });

  it('lets exactly one of two decisions at once count', async ({ store, other }) => {
    await begin(store, 'r1');
    for (let round = 0; round < 10; round++) {
      const both = await Promise.all([
        store.runs.post('r1', decide(`a${round}`, 'ann', `i${round}`)),
        other.runs.post('r1', decide(`b${round}`, 'bob', `i${round}`)),
      ]);
      const lost = both.find((result) => !result.accepted);
      ok(lost !== undefined && both.some((result) => result.accepted), 'one counts');
      const [counted] = (await store.runs.inbox('r1')).slice(-1);
      equal(lost, { accepted: false, counted }, 'the other learns which');
    }
  });

  it("takes answers until they expire by the store's clock, then the system's only", async ({
    store,
    other,
    pass,
  }) => {
    await begin(store, 'r1');
    const expiries = { i1: (await store.now()) + 400, i2: (await store.now()) + 60_000 };
    const no = { accepted: false };
    equal(
      await store.runs.post('r1', decide('d1', 'system', 'i1'), { expiries }),
      no,
      'the system is too early',
    );
    await pass(405);
    equal(
      await other.runs.post('r1', decide('d2', 'ann', 'i1'), { expiries }),
      no,
      'a person is too late',
    );
    equal(
      await other.runs.post('r1', decide('d3', undefined, 'i2', 'i1'), { expiries }),
      no,
      'for the whole set',
    );
    equal(await store.runs.inbox('r1'), [], 'nothing was put in');
    const expired = decide('d4', 'system', 'i1');
    equal(await other.runs.post('r1', expired, { expiries }), accepted, 'the system');
    equal(
      await store.runs.post('r1', decide('d5', 'system', 'i1'), { expiries }),
      { accepted: false, counted: expired },
      'once',
    );
    equal(await store.runs.post('r1', decide('d6', 'ann', 'i2'), { expiries }), accepted, 'i2');
    equal(await store.runs.post('r1', decide('d7', 'system', 'i9')), accepted, 'without expiry');
  });
}
