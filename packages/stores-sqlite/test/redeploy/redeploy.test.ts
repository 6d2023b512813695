import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunHeader } from '@agent-functions/core';
import { collect, eventually } from '@agent-functions/core/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sqliteStore, type SqliteStore } from '../../src/index.ts';
import { effectsServer, type EffectsServer } from '../kill/effects-server.ts';
import { sideBySide } from '../kill/kill.ts';
import { startApp, type AppProcess } from './app-process.ts';
import { bundleApps } from './bundle.ts';
import { checkRun, checkSession } from './checks.ts';
import { answer, begin, chat, type Left } from './client.ts';
import { plans } from './plans.ts';

const leaseMs = 2_000;
const count = 500;

let folder: string;
let store: SqliteStore;
let effects: EffectsServer;
const processes: AppProcess[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'agent-functions-redeploy-'));
  store = sqliteStore({ path: join(folder, 'runs.db'), synchronous: 'normal' });
  effects = await effectsServer();
});
afterAll(async () => {
  for (const each of processes) await each.end('SIGKILL');
  await effects.close();
  await store.close();
  await rm(folder, { recursive: true });
});

test('500 runs that version N left are ended by version N + 1: none stranded, none silent', async () => {
  const apps = await bundleApps(folder);
  const place = { path: join(folder, 'runs.db'), effects: effects.url, leaseMs };
  const serve = async (version: 1 | 2): Promise<AppProcess> => {
    const started = await startApp(apps[version], place);
    processes.push(started);
    return started;
  };
  // One is killed, one is stopped.
  const [killed, stopped] = await Promise.all([serve(1), serve(1)]);
  const left = await leave([killed.url, stopped.url]);
  const stands = (runId: string) => killed.standing.has(runId) || stopped.standing.has(runId);
  for (const { plan, runId } of left) {
    const stood = () => plan.name === 'at work' || stands(runId) || waits(runId);
    await eventually(stood, `${plan.name} stands`, 20_000);
  }
  await Promise.all([killed.end('SIGKILL'), stopped.end('SIGTERM')]);
  const cuts = new Map(await Promise.all(left.map(async ({ runId }) => cutOf(runId))));

  const next = await serve(2);
  const byId = new Map(left.map((one) => [one.runId, one]));
  await eventually(
    async () => {
      const open = await unfinished();
      await sideBySide(open, 16, async ({ runId }) => {
        const one = byId.get(runId);
        if (one !== undefined && (await waits(runId))) {
          await answer(next.url, one, effects.counts);
        }
      });
      return open.length === 0;
    },
    'every run ends',
    40_000,
  );
  for (const one of left) {
    const events = await collect(store.runs.read(one.runId));
    checkRun(one, events, { cut: cuts.get(one.runId) ?? 0, counts: effects.counts });
  }
  await sideBySide(left, 16, async (one) => {
    const agent = one.plan.agent === 'kiosk' ? 'counter' : 'desk';
    await chat(next.url, agent, { message: 'and then?', session_id: one.sessionId });
    checkSession(one, await store.sessions.load(one.sessionId));
  });
  await next.end('SIGTERM');
}, 90_000);

/** Runs in every state, side by side; those that work begin last. */
async function leave(urls: readonly string[]): Promise<readonly Left[]> {
  const all = Array.from({ length: count }, (_, index) => ({
    plan: plans[index % plans.length],
    url: urls[index % urls.length] ?? '',
  }));
  all.sort((a, b) => Number(a.plan?.name === 'at work') - Number(b.plan?.name === 'at work'));
  const left: Left[] = [];
  await sideBySide(all, 16, async ({ plan, url }) => {
    if (plan !== undefined) left.push(await begin(url, plan));
  });
  expect(left).toHaveLength(count);
  return left;
}

/** Whether a run waits for an answer. */
async function waits(runId: string): Promise<boolean> {
  const peek = await store.runs.peek(runId);
  if (peek === undefined || peek.ended || peek.lease !== undefined) return false;
  const [last] = await collect(store.runs.read(runId, { after: peek.seq - 1 }));
  return last?.type === 'run-pause';
}

async function cutOf(runId: string): Promise<readonly [string, number]> {
  const peek = await store.runs.peek(runId);
  if (peek?.ended !== false) throw new Error(`run ${runId} ended on version N`);
  return [runId, peek.seq];
}

async function unfinished(): Promise<readonly RunHeader[]> {
  const { runs } = await store.runs.list({ unfinished: true, limit: 1_000 });
  return runs;
}
