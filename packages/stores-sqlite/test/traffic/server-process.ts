// One of the processes that serve the bot, until it is killed. Its store now and then does not answer. The first line says
// where it listens.
import { faultyStore, seededRandom } from '@agent-functions/core/testing';
import { agentServer } from '../../../server/src/index.ts';
import { serve } from '../../../server/src/node/index.ts';
import { bot } from './bot.ts';
import { storeOf } from './store-of.ts';

const { STORE = '', EFFECTS = '', SEED = '1', LEASE_MS = '1000' } = process.env;
const seed = Number(SEED);
const store = faultyStore(await storeOf(STORE), {
  chaos: { seed, failBefore: 0.005, lostAnswers: 0.005 },
});
const server = agentServer({
  agents: [bot({ effects: EFFECTS, random: seededRandom(seed) })],
  store,
  leaseMs: Number(LEASE_MS),
  allowClientSessionIds: true,
  // What the store does to it is meant.
  logger: { log: () => undefined },
});
const { url } = await serve(server, { port: 0 });
console.log(url);
