import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, memoryStore, textOf, tool, type Store } from '@agent-functions/core';
import {
  eventually,
  faultyStore,
  gate,
  scriptedModel,
  verifyJournal,
  type Gate,
} from '@agent-functions/core/testing';
import { sqliteStore } from '@agent-functions/stores-sqlite';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { agentServer } from '../src/index.ts';
import { serve } from '../src/node/index.ts';
import { Watcher } from './watcher.ts';

// The law of cursors (journal.md): the durable events that any client receives are each number once and in order, and the
// text it folds equals the recorded responses, whatever was cut, killed or retried, and from whichever process.

const texts = {
  first: 'First I look around, as one does. ',
  second: 'That costs something, so I ask before I pay. ',
  scout: 'Here is what the scout has seen from the hill. ',
  diver: 'And this is what the diver found below, in the dark. ',
  last: 'Everything is done, and this is all there is to say.',
};

/** Where the models of a process wait, each before its response: all its deltas are out by then. */
interface Gates {
  readonly first: Gate;
  readonly second: Gate;
  readonly scout: Gate;
  readonly diver: Gate;
  readonly last: Gate;
}

/** A process: a server on a handle of its own, which can be gone. */
interface Process {
  readonly gates: Gates;
  readonly get: (path: string, headers: Record<string, string>) => Promise<Response>;
  readonly post: (path: string, body: unknown) => Promise<Response>;
  kill(): void;
  end(): Promise<void>;
}

async function begin(handle: Store, overTcp: boolean): Promise<Process> {
  const gates: Gates = {
    first: gate(),
    second: gate(),
    scout: gate(),
    diver: gate(),
    last: gate(),
  };
  const waits = (name: keyof Gates) => ({ text: texts[name], beforeResponse: gates[name] });
  const by = { by: 'conversation', chunkSize: 4 } as const;
  const helper = (name: 'scout' | 'diver') =>
    new Agent({ name, description: name, model: scriptedModel([waits(name)], by) }).asTool();
  const act = (name: string, needsApproval: boolean) =>
    tool({
      name,
      description: name,
      parameters: z.object({}),
      effect: 'idempotent',
      needsApproval,
      execute: () => 'done',
    });
  const model = scriptedModel(
    [
      { ...waits('first'), calls: [['look', {}]] },
      { ...waits('second'), calls: [['pay', {}]] },
      {
        calls: [
          ['scout', { message: 'Go.' }],
          ['diver', { message: 'Go.' }],
        ],
      },
      waits('last'),
    ],
    by,
  );
  const tools = [act('look', false), act('pay', true), helper('scout'), helper('diver')];
  const gone = new AbortController();
  const server = agentServer({
    agents: [new Agent({ name: 'guide', model, tools })],
    store: faultyStore(handle, { until: gone.signal }),
    leaseMs: 400,
    heartbeatMs: 3,
    onDisconnect: 'continue',
    logger: { log: () => undefined },
  });
  const serving = overTcp ? await serve(server, { port: 0 }) : undefined;
  const send = (path: string, init: RequestInit) =>
    serving === undefined
      ? server.fetch(new Request(`http://agents.test${path}`, init))
      : fetch(serving.url + path, init);
  return {
    gates,
    get: (path, headers) => send(path, { headers }),
    post: (path, body) =>
      send(path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', prefer: 'respond-async' },
        body: JSON.stringify(body),
      }),
    kill: () => gone.abort(),
    end: async () => {
      gone.abort();
      for (const one of Object.values(gates)) one.open();
      await serving?.close({ graceMs: 1 });
      await server.close({ graceMs: 1 });
    },
  };
}

interface Handles {
  /** One for each process. */
  readonly handles: readonly [Store, Store];
  readonly close: () => Promise<void>;
}

function memoryHandles(): Handles {
  const store = memoryStore();
  const handle = (): Store => ({ ...store, durable: true });
  return { handles: [handle(), handle()], close: async () => undefined };
}

async function sqliteHandles(): Promise<Handles> {
  const folder = await mkdtemp(join(tmpdir(), 'cursors-'));
  const path = join(folder, 'runs.db');
  const handles = [sqliteStore({ path }), sqliteStore({ path })] as const;
  return {
    handles: [...handles],
    close: async () => {
      for (const handle of handles) await handle.close?.();
      await rm(folder, { recursive: true });
    },
  };
}

/** One life of a run: live, paused, killed and taken up elsewhere, ended; watched all the time by clients that are cut. */
async function life(
  { handles }: Handles,
  options: { readonly seed: number; readonly overTcp: boolean; readonly clients: number },
): Promise<number> {
  const random = mulberry32(options.seed);
  const below = (limit: number) => Math.floor(random() * limit);
  let alive = [await begin(handles[0], options.overTcp), await begin(handles[1], options.overTcp)];
  const all = [...alive];
  const [first] = alive;
  if (first === undefined) throw new Error('No process.');
  const watchers = Array.from({ length: options.clients }, () => new Watcher());
  let runId = '';

  /** Every watcher connects some times, anywhere, and is cut; those that come to the holder last see all there is. */
  const watch = async (inProgress: readonly string[], holder?: Process) => {
    await Promise.all(
      watchers.map(async (watcher) => {
        for (let times = 1 + below(4); times > 0; times -= 1) {
          const at = alive[below(alive.length)];
          if (at !== undefined) await watcher.read(at.get, runId, 1 + below(12));
        }
        if (holder === undefined || random() < 0.5) return;
        // All deltas are out: whoever reads on until it is quiet has all of them.
        const shown = () => [...watcher.fold().inProgress.values()].toSorted(byText).join('|');
        const whole = inProgress.toSorted(byText).join('|');
        await watcher.read(holder.get, runId, Infinity, () => shown() !== whole);
        expect(shown()).toBe(whole);
      }),
    );
    for (const { numbers } of watchers)
      expect(numbers).toEqual(numbers.map((_, index) => index + 1));
  };
  const opened = async (...names: readonly (keyof Gates)[]): Promise<Process> => {
    const reached = alive.map((one) =>
      Promise.all(names.map((name) => one.gates[name].reached)).then(() => one),
    );
    return Promise.race(reached);
  };

  try {
    const started = await first.post('/api/guide/chat', { message: 'Go.' });
    const body: { run_id: string } = JSON.parse(await started.text());
    runId = body.run_id;

    let holder = await opened('first');
    await watch([texts.first], holder);
    holder.gates.first.open();
    holder = await opened('second');
    await watch([texts.second], holder);
    holder.gates.second.open();

    const { runs } = handles[0];
    await eventually(async () => {
      const peek = await runs.peek(runId);
      return peek?.lease === undefined && (await statusAt(first, runId)) === 'interrupted';
    }, 'the run waits');
    await watch([]);
    const decided = await first.post(`/api/runs/${runId}/decisions`, [
      { interruption_id: 'f0.t2.c1.approval', approved: true },
    ]);
    expect(decided.status).toBe(202);

    holder = await opened('scout', 'diver');
    await watch([texts.scout, texts.diver], holder);
    // Its process is gone in the middle of two answers; whoever watches there has to go elsewhere.
    holder.kill();
    const killed = holder;
    alive = alive.filter((one) => one !== killed);
    await watch([]);
    holder = await opened('scout', 'diver');
    await watch([texts.scout, texts.diver], holder);
    holder.gates.scout.open();
    holder.gates.diver.open();
    holder = await opened('last');
    await watch([texts.last], holder);
    holder.gates.last.open();
    await eventually(async () => (await runs.peek(runId))?.ended, 'the run ends');

    // After its end: those that were there read on, and others come who were not.
    watchers.push(...Array.from({ length: options.clients }, () => new Watcher()));
    const events = [];
    for await (const event of runs.read(runId)) events.push(event);
    verifyJournal(events);
    const recorded = events.map((event) =>
      event.type === 'model-response' ? textOf(event.message) : '',
    );
    for (const watcher of watchers) {
      for (;;) {
        const ending = await watcher.read(holder.get, runId, 1 + below(9));
        if (ending === 'over') break;
      }
      expect(watcher.numbers).toEqual(events.map(({ seq }) => seq));
      const { text, inProgress } = watcher.fold();
      expect([text, inProgress.size]).toEqual([recorded.join(''), 0]);
    }
    return watchers.reduce((sum, { connections }) => sum + connections, 0);
  } finally {
    for (const one of all) await one.end();
  }
}

async function statusAt(process: Process, runId: string): Promise<unknown> {
  const response = await process.get(`/api/runs/${runId}`, {});
  const run: { status: unknown } = JSON.parse(await response.text());
  return run.status;
}

function byText(a: string, b: string): number {
  return a < b ? -1 : 1;
}

/** Numbers from 0 to below 1 that follow from the seed alone. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Other seeds than those of every day: `CURSORS_SEED=$RANDOM`. */
const shift = Number(process.env['CURSORS_SEED'] ?? 0);

async function reconnects(
  wanted: number,
  options: { readonly clients: number; readonly overTcp: boolean; readonly firstSeed: number },
  make: () => Handles | Promise<Handles>,
): Promise<number> {
  let done = 0;
  for (let seed = options.firstSeed + shift; done < wanted; seed += 1) {
    const handles = await make();
    try {
      done += await life(handles, { ...options, seed });
    } catch (error) {
      throw new Error(`seed ${seed}: ${String(error)}`, { cause: error });
    } finally {
      await handles.close();
    }
  }
  return done;
}

describe('the law of cursors', () => {
  test(
    '10,000 reconnects at random cursors, through the handler',
    { timeout: 120_000 },
    async () => {
      const options = { clients: 60, overTcp: false, firstSeed: 1 };
      expect(await reconnects(9_400, options, memoryHandles)).toBeGreaterThan(9_000);
    },
  );

  test('of them 600 between processes that share a file', { timeout: 120_000 }, async () => {
    const options = { clients: 12, overTcp: false, firstSeed: 1_001 };
    expect(await reconnects(600, options, sqliteHandles)).toBeGreaterThan(500);
  });

  test('200 reconnects over TCP', { timeout: 60_000 }, async () => {
    const options = { clients: 8, overTcp: true, firstSeed: 2_001 };
    expect(await reconnects(200, options, memoryHandles)).toBeGreaterThan(150);
  });
});
