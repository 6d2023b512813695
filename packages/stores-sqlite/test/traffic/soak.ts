// `npm run soak [seed]`: 1,000 chats over two servers that are killed, on one file.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { traffic } from './traffic.ts';

const seed = Number(process.argv[2] ?? Date.now() % 1_000_000);
console.log(`traffic, seed ${seed}`);
const folder = await mkdtemp(join(tmpdir(), 'agent-functions-traffic-'));
const store = `sqlite:${join(folder, 'runs.db')}`;
const report = await traffic({ store, chats: 1_000, sessions: 50, seed, limitMs: 900_000 });
console.log(`seed ${seed}: 0 lost, stuck or there twice: ${JSON.stringify(report)}`);
await rm(folder, { recursive: true });
