// `npm run soak [seed]`: 1,000 chats over two servers that are killed, on Azurite.
import { traffic } from '../../stores-sqlite/test/traffic/traffic.ts';
import { startAzurite } from './azurite.ts';

const seed = Number(process.argv[2] ?? Date.now() % 1_000_000);
console.log(`traffic on Azurite, seed ${seed}`);
await using azurite = await startAzurite();
const report = await traffic({
  store: `azurite:${azurite.connectionString}`,
  chats: 1_000,
  sessions: 50,
  seed,
  limitMs: 1_800_000,
});
console.log(`seed ${seed}: 0 lost, stuck or there twice: ${JSON.stringify(report)}`);
