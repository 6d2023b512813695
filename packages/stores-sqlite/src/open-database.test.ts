import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Agent, jsonSchema, Runner, tool } from '@agent-functions/core';
import { collect, scriptedModel } from '@agent-functions/core/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeVersion1, makeVersion2, makeVersion3 } from '../test/version-1.ts';
import { openDatabase } from './open-database.ts';
import { sqliteStore } from './sqlite-store.ts';

describe.each([
  { version: 1, make: makeVersion1 },
  { version: 2, make: makeVersion2 },
  { version: 3, make: makeVersion3 },
])('a file of schema version $version', ({ version, make }) => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sqlite-upgrade-'));
    path = join(folder, 'runs.db');
    make(path);
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('keeps its runs and sessions, and what waits in it goes on', async () => {
    const store = sqliteStore(path);
    expect(await collect(store.runs.read('r1'))).toHaveLength(4);
    const { runs } = await store.runs.list({ limit: 5 });
    expect(runs.map(({ runId }) => runId)).toEqual(['r2', 'r1']);
    const session = await store.sessions.load('s1');
    expect(session.messages.map(({ id }) => id)).toEqual(['in.1', 'f0.t1']);
    expect([session.entryAgent, session.activeAgent]).toEqual([undefined, 'bot']);

    const pay = tool({
      name: 'pay',
      description: 'Pays',
      parameters: jsonSchema({ type: 'object' }, { validate: (value) => value }),
      effect: 'once',
      needsApproval: true,
      execute: () => 'paid',
    });
    const model = scriptedModel(['Paid.', 'Hello again.']);
    const runner = new Runner(new Agent({ name: 'bot', model, tools: [pay] }), { store });
    const approved = { interruptionId: 'f0.t1.c1.approval', approved: true } as const;
    expect(await runner.resume('r2', [approved])).toMatchObject({
      status: 'completed',
      response: 'Paid.',
    });
    expect(await runner.run('And again.', { sessionId: 's1' })).toMatchObject({
      status: 'completed',
      response: 'Hello again.',
    });
    expect((await store.sessions.load('s1')).messages).toHaveLength(4);
    await store.close();
  });

  it('knows when its runs ended and its sessions were used', async () => {
    // The last event of r1 says 1795358533534.
    for (const [at, runs] of [
      [1_795_358_533_533, []],
      [1_795_358_533_534, ['r1']],
    ] as const) {
      const store = sqliteStore({ path, keepRunsMs: 0, keepSessionsMs: 4, now: () => at });
      expect(await store.expired({ limit: 9 })).toEqual({ runs, sessions: [] });
      await store.close();
    }
    // Session s1 was changed at 1795358533537; s2 has an active run.
    const store = sqliteStore({ path, keepSessionsMs: 4, now: () => 1_795_358_533_541 });
    expect(await store.expired({ limit: 9 })).toEqual({ runs: [], sessions: ['s1'] });
    await store.close();
  });

  it('becomes what is made anew, whatever opens it again', () => {
    openDatabase(path, 'normal').close();
    const upgraded = openDatabase(path, 'normal');
    const made = openDatabase(':memory:', 'normal');
    expect(schemaOf(upgraded)).toEqual(schemaOf(made));
    upgraded.close();
    made.close();
  });

  it('is not changed when it cannot be upgraded', () => {
    const broken = new DatabaseSync(path);
    broken.exec('ALTER TABLE sessions RENAME TO meetings; CREATE TABLE records (song TEXT)');
    broken.close();
    expect(() => openDatabase(path, 'normal')).toThrow(
      /no such table: (main\.)?sessions|table records already exists/,
    );
    const same = new DatabaseSync(path);
    expect(same.prepare('PRAGMA user_version').get()).toEqual({ user_version: version });
    same.close();
  });
});

/** Tables and indexes with their columns, in whatever order. */
function schemaOf(database: DatabaseSync): unknown {
  return {
    version: database.prepare('PRAGMA user_version').get(),
    columns: database
      .prepare(
        `SELECT m.type, m.name, c.name AS column, c.type AS of, c."notnull", c.pk
         FROM sqlite_master AS m, pragma_table_info(m.name) AS c ORDER BY m.name, c.name`,
      )
      .all(),
  };
}
