import type { RunEvent } from '../events.ts';
import type { Signal } from '../store.ts';
import { collect, equal, ok } from './assert.ts';
import type { StoreCase } from './store-case.ts';
import { begin, eventOf, userMessage, warning } from './store-fixtures.ts';

export function volumeContract(it: StoreCase): void {
  it('keeps a long journal, which is read a page at a time and after any event', async ({
    store,
    other,
    volume: { events },
  }) => {
    const { token } = await begin(store, 'r1', { ttlMs: 600_000 });
    for (let seq = 1; seq < events; seq += 100) {
      const batch: RunEvent[] = [];
      for (let at = seq + 1; at <= Math.min(seq + 100, events); at++) batch.push(warning('r1', at));
      await store.runs.append('r1', batch, { expectedSeq: seq, token });
    }
    equal((await other.runs.peek('r1'))?.seq, events, 'the end');
    const started = performance.now();
    let firstMs: number | undefined;
    let seen = 0;
    for await (const { seq } of other.runs.read('r1')) {
      firstMs ??= performance.now() - started;
      if (seq !== ++seen) equal(seq, seen, 'in order');
    }
    equal(seen, events, 'all of it');
    // Who reads it whole before giving the first event holds it whole in memory.
    const wholeMs = performance.now() - started;
    ok(
      (firstMs ?? 0) < wholeMs / 2,
      `first event after ${firstMs} ms, the last after ${wholeMs} ms`,
    );
    for (const after of [events - 1, events - 250, Math.floor(events / 2)]) {
      const lookedAt = performance.now();
      for await (const { seq } of other.runs.read('r1', { after })) {
        equal(seq, after + 1, `after ${after}`);
        break;
      }
      const ms = performance.now() - lookedAt;
      ok(ms < Math.max(250, wholeMs / 2), `after ${after} it takes ${ms} ms, whole ${wholeMs} ms`);
    }
    equal((await collect(other.runs.read('r1', { after: events - 250 }))).length, 250, 'the rest');
    await store.runs.delete('r1');
    equal(await collect(other.runs.read('r1')), [], 'deleted, all of it');
  });

  it('keeps an event with a large value, beside small ones in one append', async ({
    store,
    other,
    volume: { bytes },
  }) => {
    const { token } = await begin(store, 'r1', { ttlMs: 600_000 });
    const large = eventOf('r1', 3, {
      type: 'tool-checkpoint',
      callId: 'f0.t1.c1',
      data: { text: text(bytes), small: 'yes' },
    });
    const batch = [warning('r1', 2), large, warning('r1', 4)];
    await store.runs.append('r1', batch, { expectedSeq: 1, token });
    const read = await collect(other.runs.read('r1', { after: 1 }));
    equal(
      read.map(({ seq }) => seq),
      [2, 3, 4],
      'in order',
    );
    // Compared without a report: nobody reads a difference of that length.
    ok(JSON.stringify(read) === JSON.stringify(batch), 'the same values');
    await store.runs.append('r1', [warning('r1', 5)], { expectedSeq: 4, token });
    await other.runs.delete('r1');
    equal(await collect(store.runs.read('r1')), [], 'deleted');
  });

  it('keeps a value of many small parts', async ({ store, other, volume: { bytes } }) => {
    const { token } = await begin(store, 'r1', { ttlMs: 600_000 });
    const rows = Array.from({ length: Math.ceil(bytes / 400) }, (_, id) => ({
      id,
      name: `n${id}`,
    }));
    const event = eventOf('r1', 2, { type: 'tool-checkpoint', callId: 'f0.t1.c1', data: rows });
    await store.runs.append('r1', [event], { expectedSeq: 1, token });
    const read = await collect(other.runs.read('r1', { after: 1 }));
    ok(JSON.stringify(read) === JSON.stringify([event]), 'the same');
  });

  it('keeps a large message and a large state, and what is small beside them', async ({
    store,
    other,
    volume: { bytes },
  }) => {
    const messages = [
      userMessage('m1', 'Hi'),
      userMessage('m2', text(bytes)),
      userMessage('m3', ''),
    ];
    const state = { notes: text(bytes / 4), n: 1 };
    const { version } = await store.sessions.commit(
      's1',
      { append: messages, state },
      { expectedVersion: '0', operationId: 'o1' },
    );
    const loaded = await other.sessions.load('s1');
    ok(JSON.stringify(loaded.messages) === JSON.stringify(messages), 'the messages');
    ok(JSON.stringify(loaded.state) === JSON.stringify(state), 'the state');
    const next = await other.sessions.commit(
      's1',
      { append: [userMessage('m4', 'And?')] },
      { expectedVersion: version, operationId: 'o2' },
    );
    equal((await store.sessions.load('s1')).messages.length, 4, 'it goes on');
    await store.sessions.commit(
      's1',
      { replaceWith: [userMessage('m5', 'Shorter.')], state: {} },
      { expectedVersion: next.version, operationId: 'o3' },
    );
    const { messages: left, state: empty } = await other.sessions.load('s1');
    equal([left, empty], [[userMessage('m5', 'Shorter.')], {}], 'and is made small again');
  });

  it('takes a large signal, and a large run-start', async ({ store, other, volume: { bytes } }) => {
    const first = eventOf('r1', 1, {
      type: 'run-start',
      input: [userMessage('m1', text(bytes))],
      options: {},
    });
    const header = { runId: 'r1', agent: 'weather', createdAt: 1 };
    const made = await store.runs.create(header, first, { holder: 'h1', ttlMs: 600_000 });
    ok(made.created, 'created');
    const signal: Signal = {
      id: 'd1',
      type: 'decide',
      decisions: [{ interruptionId: 'i1', approved: true, input: { text: text(bytes) } }],
      by: 'ann',
    };
    equal(await other.runs.post('r1', signal), { accepted: true }, 'accepted');
    equal(await other.runs.post('r1', signal), { accepted: true }, 'and again');
    const late = await store.runs.post('r1', { ...signal, id: 'd2' });
    ok(!late.accepted && JSON.stringify(late.counted) === JSON.stringify(signal), 'which counted');
    ok(JSON.stringify(await store.runs.inbox('r1')) === JSON.stringify([signal]), 'in the inbox');
    const [read] = await collect(other.runs.read('r1'));
    ok(JSON.stringify(read) === JSON.stringify(first), 'the first event');
    const at = { expectedSeq: 1, token: made.lease.token, drained: ['d1'] };
    await store.runs.append('r1', [warning('r1', 2)], at);
    equal(await other.runs.inbox('r1'), [], 'drained');
  });
}

/** About so many bytes in UTF-8, with signs of every length. */
function text(bytes: number): string {
  return 'Text with ümläuts, 日本 and 🦊. '.repeat(Math.ceil(bytes / 41));
}
