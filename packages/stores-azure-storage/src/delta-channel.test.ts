import type { Delta, RunEvent } from '@agent-functions/core';
import { eventually } from '@agent-functions/core/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startAzurite, type Azurite } from '../test/azurite.ts';
import { startProxy, type Proxy } from '../test/proxy.ts';
import { rowsOf } from '../test/rows.ts';
import { azureStorageStore } from './azure-storage-store.ts';

let azurite: Azurite;
let proxy: Proxy;
beforeAll(async () => {
  azurite = await startAzurite();
  proxy = await startProxy(azurite.origins);
}, 60_000);
afterAll(async () => {
  await proxy.stop();
  await azurite.stop();
});

const base = { runId: 'r1', frame: 'f0', agent: 'weather' } as const;
const first: RunEvent = { ...base, v: 1, at: 1, seq: 1, type: 'run-start', input: [], options: {} };
const delta = (epoch: string, n: number): Delta => ({
  ...base,
  after: 1,
  epoch,
  n,
  type: 'text-delta',
  messageId: 'm1',
  delta: `${epoch}${n}`,
});

/** The holder behind the proxy, a follower beside it. */
async function openBoth() {
  const prefix = azurite.prefix();
  const holder = azureStorageStore({ connectionString: proxy.connectionString, prefix });
  const follower = azureStorageStore({ connectionString: azurite.connectionString, prefix });
  const header = { runId: 'r1', agent: 'weather', createdAt: 1 };
  await holder.runs.create(header, first, { holder: 'h1', ttlMs: 60_000 });
  proxy.clear();
  const abort = new AbortController();
  const seen: string[] = [];
  const follow = async (runId = 'r1'): Promise<void> => {
    const deltas = follower.runs.channel?.follow(runId, { signal: abort.signal });
    for await (const { epoch, n } of deltas ?? []) seen.push(`${epoch}${n}`);
  };
  const close = async (): Promise<void> => {
    abort.abort();
    await holder.close();
    await follower.close();
  };
  return { prefix, holder, follower, seen, follow, close };
}

describe('deltas between processes', () => {
  it('cost nothing but looks while nobody follows', async () => {
    const { holder, close } = await openBoth();
    for (let n = 1; n <= 20; n++) {
      holder.runs.channel?.publish('r1', [delta('a', n)]);
      // What a holder does while it works: the look shows followers too.
      if (n % 5 === 0) await holder.runs.inbox('r1');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(proxy.count('write')).toBe(0);
    expect(proxy.count('read')).toBe(4);
    holder.runs.channel?.clear('r1');
    await close();
    expect(proxy.count('write')).toBe(0);
  });

  it('are written in chunks once somebody follows, and taken away again', async () => {
    const { prefix, holder, seen, follow, close } = await openBoth();
    holder.runs.channel?.publish('r1', [delta('a', 1), delta('a', 2)]);
    const following = follow();
    await eventually(() => seen.length === 2, 'what was there before');
    proxy.clear();
    for (let n = 3; n <= 22; n++) {
      holder.runs.channel?.publish('r1', [delta('a', n)]);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await eventually(() => seen.length === 22, 'what came then');
    expect(seen).toEqual(Array.from({ length: 22 }, (_, n) => `a${n + 1}`));
    // A second of deltas, in chunks of half a second.
    expect(proxy.count('write')).toBeLessThanOrEqual(4);
    holder.runs.channel?.clear('r1');
    const chunks = async () =>
      (await rowsOf(azurite, `${prefix}runs`, 'r1')).filter(({ rowKey }) =>
        rowKey.startsWith('c-'),
      );
    await eventually(async () => (await chunks()).length === 0, 'the chunks are gone');
    await close();
    await following;
  });

  it('of a holder that was lost go when the next one is followed', async () => {
    const { prefix, holder, follower, seen, follow, close } = await openBoth();
    holder.runs.channel?.publish('r1', [delta('lost', 1)]);
    const following = follow();
    await eventually(() => seen.length === 1, 'of the first holder');
    const next = azureStorageStore({ connectionString: azurite.connectionString, prefix });
    next.runs.channel?.publish('r1', [delta('new', 1)]);
    await eventually(() => seen.length === 2, 'of the next');
    const late: string[] = [];
    const signal = AbortSignal.timeout(5_000);
    for await (const { epoch } of follower.runs.channel?.follow('r1', { signal }) ?? []) {
      late.push(epoch);
      break;
    }
    expect(late).toEqual(['new']);
    await next.close();
    await close();
    await following;
  });

  it('are given once, though an answer was lost', async () => {
    const { holder, seen, follow, close } = await openBoth();
    const following = follow();
    holder.runs.channel?.publish('r1', [delta('a', 1)]);
    await eventually(() => seen.length === 1, 'the first');
    proxy.fail({ type: 'lose-answer', when: ({ kind }) => kind === 'write' });
    holder.runs.channel?.publish('r1', [delta('a', 2)]);
    holder.runs.channel?.publish('r1', [delta('a', 3)]);
    await eventually(() => seen.length >= 3, 'the others');
    holder.runs.channel?.publish('r1', [delta('a', 4)]);
    await eventually(() => seen.includes('a4'), 'the last');
    expect(seen).toEqual(['a1', 'a2', 'a3', 'a4']);
    await close();
    await following;
  });

  it('leave nothing at a run that is not there, or was deleted', async () => {
    const { prefix, holder, follow, close } = await openBoth();
    const following = Promise.all([follow('nobody'), follow()]);
    holder.runs.channel?.publish('r1', [delta('a', 1)]);
    await eventually(
      async () =>
        (await rowsOf(azurite, `${prefix}runs`)).some(({ rowKey }) => rowKey.startsWith('c-')),
      'a chunk',
    );
    await holder.runs.delete('r1');
    holder.runs.channel?.publish('r1', [delta('a', 2)]);
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    await close();
    await following;
    expect(await rowsOf(azurite, `${prefix}runs`)).toEqual([]);
  });
});
