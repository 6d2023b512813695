import type { Store } from '@agent-functions/core';
import { account } from './account.ts';
import { fixedClock, serviceClock } from './clock.ts';
import { deltaChannel } from './delta-channel.ts';
import { heads } from './heads.ts';
import { inbox } from './inbox.ts';
import { checkQueueName, defaultPrefix, namesOf } from './names.ts';
import { checkOptions, type AzureStorageStoreOptions } from './options.ts';
import { recordStore } from './record-store.ts';
import { runIndex } from './run-index.ts';
import { runRemoval } from './run-removal.ts';
import { runStore } from './run-store.ts';
import { sessionIndex } from './session-index.ts';
import { expiredSessions } from './session-list.ts';
import { sessionStore } from './session-store.ts';
import { connectionOf, settingOf } from './settings.ts';
import { values } from './values.ts';
import { queueWake } from './wake.ts';

/** A store that finishes what it put off when it is closed. */
export type AzureStorageStore = Store & { close(): Promise<void> };

const dayMs = 24 * 3_600_000;

/**
 * Runs and sessions in an Azure Storage account: Tables, Blobs for what is large, a Queue to wake runs. Any number of
 * processes share them. Everything is made when it is first missed; the clients are loaded when they are first used.
 *
 * @throws UserError for options that cannot be meant. From each call, AgentError: `not_configured` where the account is
 *   not said, `store_unavailable` where it does not answer or refuses; StoreFullError where a value does not fit.
 */
export function azureStorageStore(options: AzureStorageStoreOptions = {}): AzureStorageStore {
  checkOptions(options);
  const { prefix = defaultPrefix, keepRunsMs = 7 * dayMs, keepSessionsMs = 30 * dayMs } = options;
  const setting = settingOf(options);
  const clock = options.now === undefined ? serviceClock() : fixedClock(options.now);
  const names = namesOf(prefix);
  const {
    wakeQueue = process.env['FUNCTIONS_WORKER_RUNTIME'] === undefined ? false : `${prefix}-wake`,
  } = options;

  const storage = account({
    connect: () => connectionOf(options, process.env),
    names,
    clock,
    where: setting === undefined ? 'azureStorageStore' : `the setting ${setting}`,
  });
  const texts = values(storage);
  const channel = deltaChannel(storage, texts, clock);
  const index = runIndex(storage);
  const removal = runRemoval(storage, { clock, values: texts, index, keepMs: keepRunsMs });
  const sessions = { clock, values: texts, index: sessionIndex(storage) };
  const look = inbox(storage, texts, clock, (runId, until) => channel.seen(runId, until));
  let asked: Promise<unknown> | undefined;
  const ask = async (): Promise<void> => {
    asked ??= storage.index.get('clock', 'clock');
    try {
      await asked;
    } catch (error) {
      asked = undefined;
      throw error;
    }
  };
  return {
    runs: runStore(storage, {
      clock,
      values: texts,
      heads: heads(storage),
      inbox: look,
      index,
      removal,
      channel,
    }),
    sessions: sessionStore(storage, sessions),
    records: recordStore(storage),
    durable: true,
    // One a second while a run waits: each is a query.
    inboxPollMs: 1_000,
    async now() {
      // The first question tells whether the store works, and by the answer what time it is there.
      await ask();
      return clock.now();
    },
    async expired({ limit }) {
      const runs = await removal.expired(limit);
      const before = clock.now() - keepSessionsMs;
      return { runs, sessions: await expiredSessions(storage, sessions, { before, limit }) };
    },
    ...(wakeQueue === false
      ? {}
      : {
          wake: queueWake(storage, clock, {
            queueName: checkQueueName(wakeQueue),
            connection: setting,
          }),
        }),
    close: () => storage.close(),
  };
}
