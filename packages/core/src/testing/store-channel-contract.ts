import type { Delta } from '../events.ts';
import type { Store } from '../store.ts';
import { equal, eventually, ok } from './assert.ts';
import type { StoreCase } from './store-case.ts';
import { begin } from './store-fixtures.ts';

function delta(epoch: string, n: number, frame = 'f0'): Delta {
  return {
    runId: 'r1',
    frame,
    agent: 'weather',
    after: 1,
    epoch,
    n,
    type: 'text-delta',
    messageId: 'm2',
    delta: `${epoch}${n} é`,
  };
}

/** Follows until `stop()`, which waits for the end of the iteration. */
function following(
  { runs }: Store,
  runId: string,
): {
  readonly seen: Delta[];
  /** `<epoch>.<n>` of what was seen. */
  readonly ids: () => readonly string[];
  stop(): Promise<void>;
} {
  const abort = new AbortController();
  const seen: Delta[] = [];
  const done = (async () => {
    ok(runs.channel, 'the store has a channel');
    for await (const item of runs.channel.follow(runId, { signal: abort.signal })) seen.push(item);
  })();
  return {
    seen,
    ids: () => seen.map(({ epoch, n }) => `${epoch}.${n}`),
    async stop() {
      abort.abort();
      await done;
    },
  };
}

export function channelContract(it: StoreCase, present: boolean): void {
  if (!present) {
    it('has none', ({ store }) => {
      equal(store.runs.channel, undefined, 'the channel');
      return Promise.resolve();
    });
    return;
  }

  it('shows a follower what is published, in order', async ({ store, other }) => {
    await begin(store, 'r1');
    const follower = following(other, 'r1');
    for (let n = 1; n <= 5; n++) store.runs.channel?.publish('r1', [delta('a', n)]);
    await eventually(() => follower.seen.length >= 5, 'five deltas');
    store.runs.channel?.publish('r1', [delta('a', 6), delta('a', 7)]);
    await eventually(() => follower.seen.length >= 7, 'seven deltas');
    equal(
      follower.seen,
      [1, 2, 3, 4, 5, 6, 7].map((n) => delta('a', n)),
      'all, in order',
    );
    await follower.stop();
  });

  it('shows a late follower the attempts in progress from the first', async ({ store, other }) => {
    await begin(store, 'r1');
    const channel = store.runs.channel;
    channel?.publish('r1', [delta('old', 1), delta('old', 2)]);
    channel?.publish('r1', [delta('b', 1, 'f0.1'), delta('b', 2, 'f0.1')]);
    channel?.publish('r1', [delta('new', 1)]);
    channel?.publish('r1', [delta('new', 2)]);
    const follower = following(other, 'r1');
    await eventually(() => follower.seen.length >= 4, 'what was published before');
    const of = (frame: string): Delta[] => follower.seen.filter((item) => item.frame === frame);
    equal(of('f0'), [delta('new', 1), delta('new', 2)], 'of f0 its new attempt only');
    equal(of('f0.1'), [delta('b', 1, 'f0.1'), delta('b', 2, 'f0.1')], 'of f0.1 its own');
    const second = following(other, 'r1');
    await eventually(() => second.seen.length >= 4, 'a second follower, the same');
    channel?.publish('r1', [delta('new', 3)]);
    await eventually(() => follower.ids().at(-1) === 'new.3', 'then live');
    await eventually(() => second.ids().at(-1) === 'new.3', 'for both');
    await follower.stop();
    await second.stop();
  });

  it('goes on with a new attempt, whose deltas replace those before', async ({ store, other }) => {
    await begin(store, 'r1');
    const first = following(other, 'r1');
    store.runs.channel?.publish('r1', [delta('a', 1)]);
    await eventually(() => first.seen.length >= 1, 'the first attempt');
    store.runs.channel?.publish('r1', [delta('b', 1), delta('b', 2)]);
    await eventually(() => first.ids().at(-1) === 'b.2', 'the second attempt');
    equal(first.ids(), ['a.1', 'b.1', 'b.2'], 'in order');
    const late = following(other, 'r1');
    await eventually(() => late.seen.length >= 2, 'a late follower');
    equal(late.ids(), ['b.1', 'b.2'], 'sees nothing of the first attempt');
    await first.stop();
    await late.stop();
  });

  it('forgets what is cleared', async ({ store, other }) => {
    await begin(store, 'r1');
    const first = following(other, 'r1');
    store.runs.channel?.publish('r1', [delta('a', 1)]);
    await eventually(() => first.seen.length >= 1, 'published');
    store.runs.channel?.clear('r1');
    store.runs.channel?.clear('nobody');
    store.runs.channel?.publish('r1', [delta('b', 1)]);
    await eventually(() => first.seen.length >= 2, 'a follower stays');
    equal(first.ids(), ['a.1', 'b.1'], 'and goes on with what comes after');
    const late = following(other, 'r1');
    await eventually(() => late.seen.length >= 1, 'a late follower');
    equal(late.ids(), ['b.1'], 'sees nothing of before');
    await first.stop();
    await late.stop();
  });

  it('ends a follower on abort, also one that nothing was published for', async ({ store }) => {
    const follower = following(store, 'nobody');
    await follower.stop();
    const aborted = new AbortController();
    aborted.abort();
    for await (const item of store.runs.channel?.follow('r1', { signal: aborted.signal }) ?? []) {
      throw new Error(`an aborted follower saw ${item.type}`);
    }
  });
}
