import type { JsonObject, RecordStore } from '@agent-functions/core';

/** What is still to be told: one record for each configuration until its task has ended and everything arrived. */
export const dueCollection = 'a2a-push-due';

/** How far a receiver was told, and who tells it. */
export interface Due {
  /** The last event of the journal that it knows all about. */
  readonly seq: number;
  /** In a row. */
  readonly failures: number;
  /** Not before this time, after a failure. */
  readonly notBefore: number;
  readonly claimedBy: string;
  readonly claimedUntil: number;
}

export const unclaimed = { claimedBy: '', claimedUntil: 0 };

/** The right to tell a receiver, as long as nobody else writes its record. Renewed by itself until it is released. */
export class PushClaim {
  readonly #records: RecordStore;
  readonly #key: string;
  readonly #by: string;
  readonly #claimMs: number;
  readonly #timer: ReturnType<typeof setInterval>;
  #version: string;
  #due: Due;
  #writing: Promise<boolean> = Promise.resolve(true);

  private constructor(
    records: RecordStore,
    key: string,
    by: string,
    claimMs: number,
    due: Due,
    version: string,
  ) {
    this.#records = records;
    this.#key = key;
    this.#by = by;
    this.#claimMs = claimMs;
    this.#due = due;
    this.#version = version;
    this.#timer = setInterval(() => {
      this.write({}).catch(() => undefined);
    }, claimMs / 3);
    this.#timer.unref();
  }

  /** `undefined`: another process has it, or there is nothing to do. */
  static async take(
    records: RecordStore,
    key: string,
    by: string,
    claimMs: number,
  ): Promise<PushClaim | undefined> {
    const record = await records.get(dueCollection, key);
    if (record === undefined) return undefined;
    const due = toDue(record.value);
    const isFree = due.claimedBy === '' || due.claimedBy === by || due.claimedUntil <= Date.now();
    if (!isFree) return undefined;
    const claim = new PushClaim(records, key, by, claimMs, due, record.version);
    if (await claim.write({})) return claim;
    claim.#stop();
    return undefined;
  }

  get due(): Due {
    return this.#due;
  }

  /** Writes how far it got. `false`: somebody else has it now. */
  write(change: Partial<Due>): Promise<boolean> {
    return this.#then(async () => {
      const claimedUntil = Date.now() + this.#claimMs;
      return this.#put({ ...this.#due, claimedBy: this.#by, claimedUntil, ...change });
    });
  }

  async release(change: Partial<Due> = {}): Promise<void> {
    this.#stop();
    await this.#then(() => this.#put({ ...this.#due, ...change, ...unclaimed }));
  }

  /** There is nothing more to tell. */
  async finish(): Promise<void> {
    this.#stop();
    await this.#then(async () => {
      await this.#records.delete(dueCollection, this.#key);
      return false;
    });
  }

  /** Lets go of it as it is: it lapses. */
  drop(): void {
    this.#stop();
  }

  #stop(): void {
    clearInterval(this.#timer);
  }

  // One write after the other: each is made of the version before.
  #then(write: () => Promise<boolean>): Promise<boolean> {
    this.#writing = this.#writing.then(
      (isOurs) => (isOurs ? write() : false),
      () => write(),
    );
    return this.#writing;
  }

  async #put(due: Due): Promise<boolean> {
    const version = await this.#records.put(dueCollection, this.#key, fromDue(due), {
      expectedVersion: this.#version,
    });
    if (version === undefined) return false;
    this.#version = version;
    this.#due = due;
    return true;
  }
}

export function fromDue(due: Due): JsonObject {
  return { ...due };
}

export function toDue(value: JsonObject): Due {
  const count = (name: string): number => Number(value[name] ?? 0);
  const claimedBy = value['claimedBy'];
  return {
    seq: count('seq'),
    failures: count('failures'),
    notBefore: count('notBefore'),
    claimedBy: typeof claimedBy === 'string' ? claimedBy : '',
    claimedUntil: count('claimedUntil'),
  };
}
