import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually, seededRandom } from '@agent-functions/core/testing';
import { effectsServer } from '../kill/effects-server.ts';
import { sideBySide } from '../kill/kill.ts';
import { say, sendTwice, type Chat, type Said, type Tally } from './chat-client.ts';
import { checkStore } from './checks.ts';
import { startServers, type Servers } from './servers.ts';
import { storeOf } from './store-of.ts';

export interface TrafficOptions {
  /** As `storeOf()` reads it. */
  readonly store: string;
  readonly chats: number;
  readonly sessions: number;
  readonly seed: number;
  /** How many clients there are at once. Default 16. */
  readonly clients?: number | undefined;
  /** When whatever has no answer counts as stuck. */
  readonly limitMs: number;
}

export interface TrafficReport extends Readonly<Tally> {
  readonly chats: number;
  readonly kills: number;
  readonly events: number;
  /** Once calls that were under way in a process that was killed. */
  readonly unknown: number;
  readonly ms: number;
}

const leaseMs = 1_000;

/**
 * Chats over two servers of one store, whose processes are killed, whose store now and then does not answer, by clients
 * that lose answers, leave, and send everything twice. Then looks at what the store holds.
 *
 * @throws Error for whatever is lost, stuck or there twice.
 */
export async function traffic(options: TrafficOptions): Promise<TrafficReport> {
  const { seed, limitMs, clients = 16 } = options;
  const startedAt = performance.now();
  const random = seededRandom(seed);
  const effects = await effectsServer();
  const store = await storeOf(options.store);
  const tally: Tally = { sent: 0, lost: 0, cut: 0, busy: 0, refused: 0, readOn: 0 };
  const servers = await startServers({
    store: options.store,
    effects: effects.url,
    seed,
    leaseMs,
  });
  const over = new AbortController();
  const killing = keepKilling(servers, random, over.signal);
  try {
    const client = {
      urls: () => servers.urls,
      random,
      tally,
      endsAt: startedAt + limitMs,
    };
    const said: Said[] = [];
    await sideBySide(chatsOf(options), clients, async (chat) => {
      const answer = await say(chat, client);
      said.push(answer);
      // Long answered, and asked for once more.
      if (random() > 0.2) return;
      const again = await sendTwice(servers.urls, chat, client);
      if (again !== undefined && again.response !== answer.response) {
        throw new Error(`${chat.message}: ${answer.response}, then ${again.response}`);
      }
    });
    over.abort();
    const kills = await killing;
    for (const sessionId of new Set(said.map((each) => each.sessionId))) {
      await readSession(servers.urls[0], sessionId);
    }
    const found = await checkStore(store, said, effects.counts);
    const ms = Math.round(performance.now() - startedAt);
    return { chats: said.length, kills, ...tally, ...found, ms };
  } finally {
    over.abort();
    await killing.catch(() => undefined);
    await servers.close();
    await store.close();
    await effects.close();
  }
}

/** Each in a conversation that chance picks: several may want the same at once. */
function chatsOf({ chats, sessions, seed }: TrafficOptions): readonly Chat[] {
  const random = seededRandom(seed + 1);
  const prefix = randomBytes(8).toString('hex');
  return Array.from({ length: chats }, (_, index) => ({
    key: randomBytes(24).toString('hex'),
    sessionId: `${prefix}-${Math.floor(random() * sessions)}`,
    message: `Chat ${index + 1}`,
  }));
}

/** A run whose process was killed behind its end is put into its session by whoever reads that next. */
async function readSession(url: string, sessionId: string): Promise<void> {
  await eventually(async () => {
    const response = await fetch(`${url}/api/sessions/${sessionId}`);
    await response.text();
    // The store may not answer.
    return response.status === 200;
  }, `${sessionId} can be read`);
}

/** Kills one of the servers now and then; answers how often. */
async function keepKilling(
  servers: Servers,
  random: () => number,
  over: AbortSignal,
): Promise<number> {
  for (let kills = 0; ; kills += 1) {
    await sleep(100 + random() * 400, undefined, { signal: over }).catch(() => undefined);
    if (over.aborted) return kills;
    await servers.replace(random() < 0.5 ? 0 : 1);
  }
}
