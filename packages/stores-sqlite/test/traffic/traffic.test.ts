import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { traffic } from './traffic.ts';

const seed = 1;

test(`100 chats over two servers that are killed, seed ${seed}: each key has one run, each conversation is whole`, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'agent-functions-traffic-'));
  try {
    const store = `sqlite:${join(folder, 'runs.db')}`;
    const report = await traffic({ store, chats: 100, sessions: 50, seed, limitMs: 50_000 });
    console.log(JSON.stringify(report));
    expect(report.chats).toBe(100);
    expect(report.kills).toBeGreaterThan(0);
  } finally {
    await rm(folder, { recursive: true });
  }
}, 90_000);
