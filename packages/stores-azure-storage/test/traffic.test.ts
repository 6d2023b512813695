import { expect, test } from 'vitest';
import { traffic } from '../../stores-sqlite/test/traffic/traffic.ts';
import { startAzurite } from './azurite.ts';

const seed = 1;

test(`100 chats over two servers that are killed, seed ${seed}: each key has one run, each conversation is whole`, async () => {
  await using azurite = await startAzurite();
  const store = `azurite:${azurite.connectionString}`;
  const report = await traffic({ store, chats: 100, sessions: 50, seed, limitMs: 80_000 });
  console.log(JSON.stringify(report));
  expect(report.chats).toBe(100);
  expect(report.kills).toBeGreaterThan(0);
}, 120_000);
