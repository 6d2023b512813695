import type { Lease } from '@agent-functions/core';
import type { Text } from './protocol.ts';
import { Refusal } from './refusal.ts';
import { textOf, type Row, type Statements } from './statements.ts';

export interface NewRun {
  readonly runId: string;
  readonly owner: string | undefined;
  readonly sessionId: string | undefined;
  readonly requestHash: string | undefined;
  readonly header: string;
  readonly first: Text;
}

export interface Append {
  readonly events: readonly Text[];
  readonly expectedSeq: number;
  readonly token: number;
  readonly drained: readonly string[];
  /** Some event is progress. */
  readonly progress: boolean;
  /** One is `run-end`. */
  readonly ends: boolean;
}

/** A page of a journal ends after so many events or characters, whichever comes first. */
const pageEvents = 256;
const pageChars = 1_000_000;

export function runOperations(db: Statements, now: () => number, take: (text: Text) => string) {
  const find = (runId: string): Row | undefined =>
    db.get('SELECT * FROM runs WHERE run_id = ?', runId);
  const require = (runId: string): Row => {
    const run = find(runId);
    if (run === undefined) throw new Refusal('not-found', `There is no run '${runId}'.`, runId);
    return run;
  };
  const leaseOf = (run: Row): Lease | undefined =>
    typeof run['holder'] === 'string'
      ? { holder: run['holder'], token: Number(run['token']), expiresAt: Number(run['expires_at']) }
      : undefined;
  const held = (run: Row): Lease | undefined => {
    const lease = leaseOf(run);
    return lease !== undefined && lease.expiresAt > now() ? lease : undefined;
  };

  return {
    createRun: (
      { runId, owner, sessionId, requestHash, header, first }: NewRun,
      holder: string,
      ttlMs: number,
    ): { readonly lease: Lease } | { readonly header: string } => {
      const json = take(first);
      return db.write(() => {
        const present = find(runId);
        if (present !== undefined) return repeated(present, leaseOf(present), requestHash, holder);
        const lease: Lease = { holder, token: 1, expiresAt: now() + ttlMs };
        db.run(
          `INSERT INTO runs (run_id, owner, session_id, request_hash, header, seq, token, holder, expires_at)
           VALUES (?, ?, ?, ?, ?, 1, 1, ?, ?)`,
          runId,
          owner ?? null,
          sessionId ?? null,
          requestHash ?? null,
          header,
          holder,
          lease.expiresAt,
        );
        db.run('INSERT INTO events VALUES (last_insert_rowid(), 1, ?)', json);
        return { lease };
      });
    },

    header: (runId: string): string | undefined => textOf(find(runId)?.['header']),

    append: (
      runId: string,
      { events, expectedSeq, token, drained, progress, ends }: Append,
    ): undefined => {
      const texts = events.map(take);
      return db.write(() => {
        const run = require(runId);
        checkEnd(run, runId, expectedSeq, token);
        const id = run['id'] ?? null;
        for (const [index, json] of texts.entries()) {
          db.run('INSERT INTO events VALUES (?, ?, ?)', id, expectedSeq + 1 + index, json);
        }
        db.run(
          `UPDATE runs SET seq = ?, ended = ?, ended_at = ?, attempts = iif(?, 0, attempts)
           WHERE id = ?`,
          expectedSeq + events.length,
          ends ? 1 : 0,
          ends ? now() : null,
          progress ? 1 : 0,
          id,
        );
        for (const signal of drained) {
          db.run('UPDATE inbox SET drained = 1 WHERE run = ? AND signal_id = ?', id, signal);
        }
        if (ends) db.run('DELETE FROM deltas WHERE run_id = ?', runId);
        return undefined;
      });
    },

    readEvents: (
      runId: string,
      after: number,
    ): { readonly events: readonly string[]; readonly more: boolean } => {
      const events: string[] = [];
      let chars = 0;
      const rows = db.iterate(
        `SELECT json FROM events WHERE run = (SELECT id FROM runs WHERE run_id = ?) AND seq > ?
         ORDER BY seq`,
        runId,
        after,
      );
      for (const row of rows) {
        const json = textOf(row['json']) ?? '';
        events.push(json);
        chars += json.length;
        if (events.length === pageEvents || chars > pageChars) return { events, more: true };
      }
      return { events, more: false };
    },

    peek: (
      runId: string,
    ):
      | { readonly seq: number; readonly ended: boolean; readonly lease: Lease | undefined }
      | undefined => {
      const run = find(runId);
      if (run === undefined) return undefined;
      return { seq: Number(run['seq']), ended: run['ended'] === 1, lease: held(run) };
    },

    acquire: (
      runId: string,
      holder: string,
      ttlMs: number,
    ): { readonly lease: Lease; readonly attempt: number } | undefined =>
      db.write(() => {
        const run = find(runId);
        if (run === undefined || run['ended'] === 1) return undefined;
        const present = held(run);
        if (present?.holder === holder) {
          return { lease: present, attempt: Number(run['attempts']) };
        }
        if (present !== undefined) return undefined;
        const attempt = Number(run['attempts']) + (run['holder'] === null ? 0 : 1);
        const lease: Lease = {
          holder,
          token: Number(run['token']) + 1,
          expiresAt: now() + ttlMs,
        };
        db.run(
          'UPDATE runs SET token = ?, holder = ?, expires_at = ?, attempts = ? WHERE run_id = ?',
          lease.token,
          holder,
          lease.expiresAt,
          attempt,
          runId,
        );
        // What the holder before showed is void.
        db.run('DELETE FROM deltas WHERE run_id = ?', runId);
        return { lease, attempt };
      }),

    renew: (runId: string, token: number, ttlMs: number): Lease | undefined =>
      db.write(() => {
        const run = find(runId);
        const lease = run === undefined ? undefined : leaseOf(run);
        if (lease?.token !== token) return undefined;
        const expiresAt = now() + ttlMs;
        db.run('UPDATE runs SET expires_at = ? WHERE run_id = ?', expiresAt, runId);
        return { ...lease, expiresAt };
      }),

    release: (runId: string, token: number): undefined =>
      db.write(() => {
        db.run(
          'UPDATE runs SET holder = NULL, expires_at = NULL WHERE run_id = ? AND token = ?',
          runId,
          token,
        );
        return undefined;
      }),

    /** One more than `limit`, so that the caller knows whether there is another page. */
    listRuns: ({
      owner,
      sessionId,
      unfinished,
      limit,
      before,
    }: {
      readonly owner: string | undefined;
      readonly sessionId: string | undefined;
      readonly unfinished: boolean;
      readonly limit: number;
      readonly before: number | undefined;
    }): readonly { readonly place: number; readonly header: string }[] => {
      const where: string[] = [];
      const values: (string | number)[] = [];
      const only = (condition: string, value: string | number | undefined): void => {
        if (value === undefined) return;
        where.push(condition);
        values.push(value);
      };
      only('owner = ?', owner);
      only('session_id = ?', sessionId);
      only('id < ?', before);
      if (unfinished) where.push('ended = 0');
      const filter = where.length === 0 ? '' : `WHERE ${where.join(' AND ')}`;
      return db
        .all(`SELECT id, header FROM runs ${filter} ORDER BY id DESC LIMIT ?`, ...values, limit + 1)
        .map((row) => ({ place: Number(row['id']), header: textOf(row['header']) ?? '' }));
    },

    /** Those that ended before a time, oldest end first. */
    expiredRuns: (before: number, limit: number): readonly string[] =>
      db
        .all(
          'SELECT run_id FROM runs WHERE ended = 1 AND ended_at <= ? ORDER BY ended_at LIMIT ?',
          before,
          limit,
        )
        .map((row) => String(row['run_id'])),

    deleteRun: (runId: string): undefined =>
      db.write(() => {
        const id = find(runId)?.['id'];
        if (id === undefined) return undefined;
        for (const table of ['events', 'inbox', 'decided']) {
          db.run(`DELETE FROM ${table} WHERE run = ?`, id);
        }
        db.run('DELETE FROM deltas WHERE run_id = ?', runId);
        db.run('DELETE FROM runs WHERE id = ?', id);
        return undefined;
      }),
  };
}

function repeated(
  run: Row,
  lease: Lease | undefined,
  requestHash: string | undefined,
  holder: string,
): { readonly lease: Lease } | { readonly header: string } {
  // The first lease has token 1: the same holder repeats its create as long as nobody else had the run.
  const own = lease?.token === 1 && lease.holder === holder ? lease : undefined;
  if (
    run['request_hash'] !== (requestHash ?? null) ||
    (requestHash === undefined && own === undefined)
  ) {
    const runId = String(run['run_id']);
    throw new Refusal(
      'mismatch',
      `Run '${runId}' exists already, for another request. Use a new idempotency key.`,
      runId,
    );
  }
  return own === undefined ? { header: String(run['header']) } : { lease: own };
}

function checkEnd(run: Row, runId: string, expectedSeq: number, token: number): void {
  if (run['token'] !== token || run['holder'] === null) {
    throw new Refusal(
      'lease',
      `Run '${runId}' is no longer held with token ${token} (the last one given is ${String(run['token'])}). Stop: somebody else goes on with it.`,
      runId,
    );
  }
  if (run['ended'] === 1) {
    throw new Refusal(
      'seq',
      `Run '${runId}' has ended with event ${String(run['seq'])}; nothing follows.`,
      runId,
    );
  }
  if (run['seq'] !== expectedSeq) {
    throw new Refusal(
      'seq',
      `Run '${runId}' ends with event ${String(run['seq'])}, not ${expectedSeq}. Read it again before appending.`,
      runId,
    );
  }
}
