import { cleanUp, type Logger, type Store } from '@agent-functions/core';
import { reasonOf } from './reason.ts';

/** How often a process removes what its store need not keep any longer. */
const everyMs = 6 * 3_600_000;

/** Removes old runs and sessions now and then: each process of a store, when it has been at work anyway. */
export class Cleaning {
  readonly #store: Store;
  readonly #logger: Logger;
  #nextAt = 0;

  constructor(store: Store, logger: Logger) {
    this.#store = store;
    this.#logger = logger;
  }

  /** Cleans up if it is time; never throws. */
  async whenDue(): Promise<void> {
    if (!this.#store.durable || performance.now() < this.#nextAt) return;
    this.#nextAt = performance.now() + everyMs;
    try {
      const removed = await cleanUp(this.#store);
      if (removed.runs + removed.sessions > 0) {
        this.#logger.log('info', 'Removed old runs and sessions', { ...removed });
      }
    } catch (error) {
      this.#logger.log('warn', 'Removing old runs and sessions failed', reasonOf(error));
    }
  }
}
