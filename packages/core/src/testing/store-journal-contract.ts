import type { Signal } from '../store.ts';
import { collect, equal, ok } from './assert.ts';
import type { StoreCase } from './store-case.ts';
import { begin, endOf, eventOf, headerOf, startOf, warning } from './store-fixtures.ts';

/** Ids that a careless key or path would break on. */
const oddIds = [
  'a/b/../c',
  '..',
  '.hidden',
  'with space',
  'quo"te\'s; --',
  'percent%2Fplus+',
  'ümläut-日本語',
  '🦊🦊',
  'x'.repeat(200),
  '\\back#hash?query',
  'case',
  'CASE',
  // The same to a reader, not the same text.
  'caf\u00e9',
  'cafe\u0301',
  'line\u2028separator\u2029\ttab\nnew',
  'nul\u0000a',
  'nul\u0000b',
  '\ufeffbom',
  `${'k'.repeat(1_000)}1`,
  `${'k'.repeat(1_000)}2`,
  "'",
  '"',
  '%',
  '_',
  '[a-z]*',
  '-1',
  '0',
  '__proto__',
  'constructor',
];

export function journalContract(it: StoreCase): void {
  it('reads after any event, and nothing of an unknown run', async ({ store }) => {
    const { token } = await begin(store, 'r1');
    const events = Array.from({ length: 9 }, (_, index) => warning('r1', index + 2));
    await store.runs.append('r1', events, { expectedSeq: 1, token });
    for (const after of [0, 1, 5, 9, 10, 99]) {
      const read = await collect(store.runs.read('r1', { after }));
      equal(
        read.map(({ seq }) => seq),
        Array.from({ length: Math.max(0, 10 - after) }, (_, index) => after + index + 1),
        `after ${after}`,
      );
    }
    equal(await collect(store.runs.read('nobody')), [], 'unknown');
    equal(await store.runs.header('nobody'), undefined, 'no header');
    equal(await store.runs.peek('nobody'), undefined, 'no peek');
    equal(await store.runs.inbox('nobody'), [], 'no inbox');
  });

  it('is read while it is written: in order, no gap, nothing twice', async ({ store, other }) => {
    const { token } = await begin(store, 'r1', { ttlMs: 60_000 });
    const batch = async (from: number) => {
      const events = Array.from({ length: 50 }, (_, index) => warning('r1', from + index));
      await store.runs.append('r1', events, { expectedSeq: from - 1, token });
    };
    for (let from = 2; from < 600; from += 50) await batch(from);
    const writing = (async () => {
      for (let from = 602; from < 1_200; from += 50) await batch(from);
    })();
    const seen: number[] = [];
    for await (const { seq } of other.runs.read('r1')) seen.push(seq);
    await writing;
    ok(seen.length >= 601, 'what was there before is read');
    ok(
      seen.every((seq, index) => seq === index + 1),
      'in order',
    );
    // A reader who leaves early leaves nothing behind that disturbs a writer.
    for await (const { seq } of store.runs.read('r1')) if (seq === 3) break;
    await store.runs.append('r1', [endOf('r1', 1_202)], { expectedSeq: 1_201, token });
    equal((await collect(other.runs.read('r1', { after: 1_201 }))).length, 1, 'the end');
  });

  it('keeps odd ids apart', async ({ store, other }) => {
    for (const runId of oddIds) await begin(store, runId);
    for (const runId of oddIds) {
      equal(await other.runs.header(runId), headerOf(runId), runId);
      equal(await collect(other.runs.read(runId)), [startOf(runId)], runId);
    }
    for (const id of oddIds)
      await begin(store, `of ${id}`, { header: { sessionId: id, owner: id } });
    for (const id of oddIds) {
      const own = [headerOf(`of ${id}`, { sessionId: id, owner: id })];
      equal(
        (await other.runs.list({ sessionId: id, limit: 9 })).runs,
        own,
        `runs of session ${id}`,
      );
      equal((await other.runs.list({ owner: id, limit: 9 })).runs, own, `runs of ${id}`);
      await store.runs.post('case', { id, type: 'cancel', by: id });
      await store.runs.post('case', { id, type: 'cancel', by: id });
    }
    equal(
      (await other.runs.inbox('case')).map(({ id }) => id),
      oddIds,
      'signals',
    );
    await store.runs.append('case', [warning('case', 2)], {
      expectedSeq: 1,
      token: 1,
      drained: oddIds.slice(1),
    });
    equal(
      (await other.runs.inbox('case')).map(({ id }) => id),
      oddIds.slice(0, 1),
      'drained',
    );
    for (const id of oddIds) {
      const at = { expectedVersion: '0', operationId: `claim:${id}` };
      await store.sessions.commit(id, { state: { id }, owner: id }, at);
      await other.sessions.commit(id, { state: { id: 'twice' } }, at);
    }
    for (const id of oddIds) {
      const { sessions } = await other.sessions.list({ owner: id, limit: 9 });
      equal(
        sessions.map(({ sessionId }) => sessionId),
        [id],
        `sessions of ${id}`,
      );
    }
    for (const id of oddIds) equal((await other.sessions.load(id)).state, { id }, id);
    for (const id of oddIds) {
      await store.runs.delete(id);
      await store.sessions.delete(id);
    }
    for (const id of oddIds) equal(await other.runs.header(id), undefined, id);
    for (const id of oddIds) equal((await other.sessions.load(id)).version, '0', id);
    for (const id of oddIds) ok(await other.runs.header(`of ${id}`), `of ${id}`);
  });

  it('gives values back deep-equal', async ({ store, other }) => {
    const { token } = await begin(store, 'r1');
    const data = {
      text: 'naïve 日本 🦊 \u0000 \u2028 \u2029 \ufeff "quoted" \\ \n \ud83e',
      lone: ['\ud83e', '\udd8a', '\udd8a\ud83e', `${'x'.repeat(99_999)}\ud83e`],
      // A pair that straddles whatever size of page or property a store cuts at.
      pairs: ['🦊'.repeat(50_000), `x${'🦊'.repeat(50_000)}`],
      ['🦊 "key" \u0000 \u2028 \ud83e']: 'in a key',
      ['k'.repeat(2_000)]: 'a long key',
      '': 'no key',
      numbers: [0, -1, 1.5, 1e21, 5e-324, Number.MAX_SAFE_INTEGER],
      empty: [{}, [], '', null, false],
      deep: { a: { b: { c: [[[1]]] } } },
      ['__proto__x']: 'kept',
    };
    const event = eventOf('r1', 2, { type: 'tool-checkpoint', callId: 'f0.t1.c1', data });
    await store.runs.append('r1', [event], { expectedSeq: 1, token });
    equal(await collect(other.runs.read('r1', { after: 1 })), [event], 'the event');
    const message = { id: 'm1', role: 'user', parts: [{ type: 'text', text: data.text }] } as const;
    await store.sessions.commit(
      's1',
      { append: [message], state: data },
      { expectedVersion: '0', operationId: 'o1' },
    );
    const { messages, state } = await other.sessions.load('s1');
    equal({ messages, state }, { messages: [message], state: data }, 'the session');
    const signal: Signal = { id: 'c1', type: 'cancel', by: 'ann 🦊', reason: data.text };
    await other.runs.post('r1', signal);
    equal(await store.runs.inbox('r1'), [signal], 'the signal');
    const header = headerOf('r2', { agent: 'ümläut 日本', owner: data.text, requestHash: 'h' });
    await store.runs.create(header, startOf('r2'), { holder: 'h "1" 🦊', ttlMs: 1_000 });
    equal(await other.runs.header('r2'), header, 'the header');
    equal((await other.runs.peek('r2'))?.lease?.holder, 'h "1" 🦊', 'the holder');
  });

  it('takes an event of 1 MB, and several in one append', async ({ store, other }) => {
    const { token } = await begin(store, 'r1');
    const big = [2, 3, 4].map((seq) => warning('r1', seq, `${seq}é`.repeat(350_000)));
    await store.runs.append('r1', big, { expectedSeq: 1, token });
    equal(await collect(other.runs.read('r1', { after: 1 })), big, 'the big events');
  });

  it('takes a journal of 5,000 events', async ({ store, other }) => {
    const { token } = await begin(store, 'r1', { ttlMs: 60_000 });
    for (let from = 2; from <= 5_000; from += 100) {
      const events = Array.from({ length: Math.min(100, 5_001 - from) }, (_, index) =>
        warning('r1', from + index),
      );
      await store.runs.append('r1', events, { expectedSeq: from - 1, token });
    }
    equal((await other.runs.peek('r1'))?.seq, 5_000, 'the end');
    let expected = 0;
    for await (const { seq } of other.runs.read('r1')) equal(seq, ++expected, 'in order');
    equal(expected, 5_000, 'all of it');
  });
}
