import { equal, ok } from './assert.ts';
import type { StoreCase } from './store-case.ts';
import { refused, userMessage, winners } from './store-fixtures.ts';

const one = userMessage('m1', 'One');
const two = userMessage('m2', 'Two');
const three = userMessage('m3', 'Three');

export function sessionContract(it: StoreCase): void {
  it('knows an unknown session as an empty one', async ({ store }) => {
    const session = await store.sessions.load('s1');
    equal(
      { ...session, updatedAt: undefined },
      { sessionId: 's1', version: '0', messages: [], state: {} },
      'empty',
    );
    equal((await store.sessions.list({ limit: 5 })).sessions, [], 'a load makes nothing');
  });

  it('changes what a commit names and keeps the rest', async ({ store, other, pass }) => {
    const first = await store.sessions.commit(
      's1',
      {
        append: [one, two],
        owner: 'ann',
        entryAgent: 'triage',
        activeAgent: 'weather',
        state: { city: 'Oslo' },
      },
      { expectedVersion: '0', operationId: 'o1' },
    );
    await pass(10);
    const second = await other.sessions.commit(
      's1',
      { append: [three] },
      { expectedVersion: first.version, operationId: 'o2' },
    );
    ok(second.version !== first.version && first.version !== '0', 'each commit has its version');
    const session = await store.sessions.load('s1');
    equal(
      { ...session, updatedAt: undefined },
      {
        sessionId: 's1',
        version: second.version,
        owner: 'ann',
        messages: [one, two, three],
        entryAgent: 'triage',
        activeAgent: 'weather',
        state: { city: 'Oslo' },
      },
      'the session',
    );
    ok(session.updatedAt !== undefined, 'it says when it was changed');
    const third = await store.sessions.commit(
      's1',
      { replaceWith: [two], append: [one], state: {}, activeAgent: 'other', closed: true },
      { expectedVersion: second.version, operationId: 'o3' },
    );
    const { messages, state, entryAgent, activeAgent, closed } = await other.sessions.load('s1');
    equal(
      { messages, state, entryAgent, activeAgent, closed },
      {
        messages: [two, one],
        state: {},
        entryAgent: 'triage',
        activeAgent: 'other',
        closed: true,
      },
      'replaced, then appended',
    );
    await store.sessions.commit(
      's1',
      { replaceWith: [], entryAgent: 'desk' },
      { expectedVersion: third.version, operationId: 'o4' },
    );
    const last = await other.sessions.load('s1');
    equal(
      [last.messages, last.entryAgent, last.activeAgent],
      [[], 'desk', 'other'],
      'emptied, with another entry agent',
    );
  });

  it('refuses a stale version and changes nothing', async ({ store, other }) => {
    const { version } = await store.sessions.commit('s1', { append: [one] }, at('0', 'o1'));
    await refused(
      other.sessions.commit('s1', { append: [two] }, at('0', 'o2')),
      'session_conflict',
      'the version before',
    );
    await refused(
      other.sessions.commit('s1', { append: [two] }, at(`${version}9`, 'o2')),
      'session_conflict',
      'a version that never was',
    );
    await refused(
      store.sessions.commit('s2', { append: [two] }, at(version, 'o2')),
      'session_conflict',
      'a version of another session',
    );
    equal((await store.sessions.load('s1')).messages, [one], 'as before');
    equal((await store.sessions.load('s2')).version, '0', 'still unknown');
  });

  it('answers a repeated operation with the version it made, without doing it again', async ({
    store,
    other,
  }) => {
    const commit = () =>
      store.sessions.commit(
        's1',
        { append: [one] },
        { expectedVersion: '0', operationId: 'end:r1' },
      );
    const first = await commit();
    equal(await commit(), first, 'at once');
    await other.sessions.commit(
      's1',
      { append: [two] },
      { expectedVersion: first.version, operationId: 'end:r2' },
    );
    equal(await commit(), first, 'after another commit');
    equal((await other.sessions.load('s1')).messages, [one, two], 'no message twice');
    const elsewhere = await other.sessions.commit(
      's2',
      { append: [one] },
      { expectedVersion: '0', operationId: 'end:r1' },
    );
    ok(elsewhere.version !== '0', 'an operation id counts in its session');
  });

  it('lets exactly one of two commits at one version through', async ({ store, other }) => {
    let version = '0';
    for (let round = 0; round < 10; round++) {
      const commit = (from: typeof store, who: string) =>
        from.sessions.commit(
          's1',
          { activeRunId: `${who}${round}` },
          { expectedVersion: version, operationId: `claim:${who}${round}` },
        );
      equal(await winners([commit(store, 'a'), commit(other, 'b')], 'session_conflict'), 1, 'one');
      version = (await store.sessions.load('s1')).version;
    }
  });

  it("stamps a claim with the store's clock and leaves it unconfirmed", async ({
    store,
    other,
    pass,
  }) => {
    const before = await store.now();
    const claim = await store.sessions.commit(
      's1',
      { activeRunId: 'r1' },
      { expectedVersion: '0', operationId: 'claim:r1' },
    );
    const claimed = await other.sessions.load('s1');
    equal([claimed.activeRunId, claimed.activeConfirmed], ['r1', false], 'claimed');
    const since = claimed.activeSince ?? 0;
    ok(since >= before && since <= (await store.now()), 'since now');
    await pass(20);
    const confirm = await other.sessions.commit(
      's1',
      { activeConfirmed: true },
      { expectedVersion: claim.version, operationId: 'confirm:r1' },
    );
    const confirmed = await store.sessions.load('s1');
    equal(
      [confirmed.activeRunId, confirmed.activeSince, confirmed.activeConfirmed],
      ['r1', since, true],
      'confirmed, since the claim',
    );
    const end = await store.sessions.commit(
      's1',
      { activeRunId: null, append: [one] },
      { expectedVersion: confirm.version, operationId: 'end:r1' },
    );
    const idle = await other.sessions.load('s1');
    equal(
      [idle.activeRunId, idle.activeSince, idle.activeConfirmed],
      [undefined, undefined, undefined],
      'idle',
    );
    await pass(20);
    await store.sessions.commit(
      's1',
      { activeRunId: 'r2', activeConfirmed: true },
      { expectedVersion: end.version, operationId: 'claim:r2' },
    );
    const next = await other.sessions.load('s1');
    equal([next.activeRunId, next.activeConfirmed], ['r2', true], 'confirmed with the claim');
    ok((next.activeSince ?? 0) > since, 'stamped anew');
  });

  it('keeps a conversation of 2,000 messages in order', async ({ store, other }) => {
    let version = '0';
    for (let from = 0; from < 2_000; from += 250) {
      const append = Array.from({ length: 250 }, (_, index) =>
        userMessage(`m${from + index}`, `Message ${from + index} é🦊`),
      );
      ({ version } = await store.sessions.commit(
        's1',
        { append },
        { expectedVersion: version, operationId: `o${from}` },
      ));
    }
    const { messages } = await other.sessions.load('s1');
    equal(messages.length, 2_000, 'all');
    ok(
      messages.every(({ id }, index) => id === `m${index}`),
      'in order',
    );
  });

  it('lists newest first, in pages, by owner', async ({ store, other, pass }) => {
    for (let index = 0; index < 7; index++) {
      await store.sessions.commit(
        `s${index}`,
        { owner: index % 2 === 0 ? 'ann' : 'bob' },
        { expectedVersion: '0', operationId: 'o' },
      );
      await pass(5);
    }
    const { version } = await store.sessions.load('s2');
    await store.sessions.commit(
      's2',
      { append: [one] },
      { expectedVersion: version, operationId: 'o2' },
    );
    const all = async (owner?: string): Promise<string[]> => {
      const ids: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await other.sessions.list({ owner, limit: 2, cursor });
        ok(page.sessions.length <= 2, 'the limit holds');
        ids.push(...page.sessions.map(({ sessionId }) => sessionId));
        cursor = page.cursor;
      } while (cursor !== undefined);
      return ids;
    };
    equal(await all(), ['s2', 's6', 's5', 's4', 's3', 's1', 's0'], 'by the last change');
    equal(await all('bob'), ['s5', 's3', 's1'], 'of an owner');
    const [newest] = (await other.sessions.list({ limit: 1 })).sessions;
    equal(newest?.updatedAt, (await other.sessions.load('s2')).updatedAt, 'with its time');
  });

  it('deletes a session; an old version does not fit what comes after', async ({
    store,
    other,
  }) => {
    const { version } = await store.sessions.commit(
      's1',
      { append: [one], state: { a: 1 }, owner: 'ann' },
      { expectedVersion: '0', operationId: 'o1' },
    );
    await other.sessions.delete('s1');
    await other.sessions.delete('s1');
    await other.sessions.delete('nobody');
    const gone = await store.sessions.load('s1');
    equal([gone.version, gone.messages, gone.state], ['0', [], {}], 'gone');
    equal(gone.owner, undefined, 'without owner');
    equal((await store.sessions.list({ limit: 5 })).sessions, [], 'not listed');
    await store.sessions.commit(
      's1',
      { append: [two] },
      { expectedVersion: '0', operationId: 'o1' },
    );
    equal((await other.sessions.load('s1')).messages, [two], 'starts anew');
    await refused(
      store.sessions.commit('s1', {}, { expectedVersion: version, operationId: 'o9' }),
      'session_conflict',
      'the version of the deleted one',
    );
  });
}

function at(expectedVersion: string, operationId: string) {
  return { expectedVersion, operationId };
}
