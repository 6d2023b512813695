import { randomBytes } from 'node:crypto';
import { Agent, jsonSchema, Runner, tool } from '@agent-functions/core';
import { scriptedModel } from '@agent-functions/core/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startAzurite, type Azurite } from '../test/azurite.ts';
import { startProxy, type ProxiedRequest, type Proxy } from '../test/proxy.ts';
import { rowsOf, storedBytes } from '../test/rows.ts';
import { azureStorageStore } from './azure-storage-store.ts';

// What a run costs, counted between the store and Azurite.

let azurite: Azurite;
let proxy: Proxy;
beforeAll(async () => {
  azurite = await startAzurite();
  proxy = await startProxy(azurite.origins);
}, 60_000);
afterAll(async () => {
  await proxy.stop();
  await azurite.stop();
});

const turns = 165;

/** One run of many turns, each with one call whose result has 500 bytes that cannot be packed. */
async function longRun() {
  const prefix = azurite.prefix();
  const store = azureStorageStore({ connectionString: proxy.connectionString, prefix });
  /** What was asked of the account when the model began each turn, and what the journal took then. */
  const begins: { readonly request: number; readonly bytes: number }[] = [];
  let runId = '';
  let asked = false;
  const look = tool({
    name: 'look_up_weather',
    description: 'Looks up the weather of a city.',
    parameters: jsonSchema({ type: 'object' }, { validate: (value) => value }),
    effect: 'read',
    execute: (_input, context) => {
      ({ runId } = context);
      return randomBytes(375).toString('base64');
    },
  });
  const model = scriptedModel(
    async (_request, call) => {
      if (!asked) return 'Noon.';
      const turn = call - 1;
      const counted = new Set([0, 1, 10, 11, 160, 161]).has(turn);
      const rows = counted ? await rowsOf(azurite, `${prefix}runs`, runId) : [];
      begins.push({ request: proxy.requests.length, bytes: storedBytes(rows) });
      if (turn === turns) return 'It will rain.';
      return {
        text: 'Let me look at the weather of today and of tomorrow.',
        calls: [['look_up_weather', { city: 'Oslo', day: turn }]],
      };
    },
    { record: false },
  );
  const runner = new Runner(new Agent({ name: 'weather', model, tools: [look] }), { store });
  // The first writes of all find no tables, and make them.
  await runner.run('What is the time?', { sessionId: 's0' });
  asked = true;
  proxy.clear();
  const stream = runner.stream('How is the weather?', { sessionId: 's1', maxTurns: 200 });
  let deltas = 0;
  for await (const { type } of stream) if (type === 'text-delta') deltas += 1;
  expect(deltas).toBeGreaterThan(turns);
  expect((await stream.result).status).toBe('completed');
  await store.close();
  const turn = (n: number) => {
    const [from, to] = [begins[n], begins[n + 1]];
    const requests = proxy.requests.slice(from?.request, to?.request);
    return {
      requests,
      writes: requests.filter(({ kind }) => kind === 'write').length,
      reads: requests.filter(({ kind }) => kind === 'read').length,
      bytes: (to?.bytes ?? 0) - (from?.bytes ?? 0),
    };
  };
  const start = proxy.requests.slice(0, begins[0]?.request);
  const end = proxy.requests.slice(begins.at(-1)?.request);
  return { turn, prefix, start, end };
}

/** Writes by what they go to. */
function writesTo(requests: readonly ProxiedRequest[]): string {
  return requests
    .filter(({ kind }) => kind === 'write')
    .map(({ place }) => /(runs|sessions|index)$/.exec(place)?.[1] ?? place)
    .join(' ');
}

describe('what a turn with one tool call costs', () => {
  it('is two writes, streamed or not, however long the run is', async () => {
    const { turn, prefix, start, end } = await longRun();
    for (let n = 1; n < turns - 1; n++) {
      const { writes, requests, reads } = turn(n);
      expect(writes, `writes of turn ${n}`).toBe(2);
      // One at each of the loop's boundaries, and now and then the one of every half second.
      expect(reads, `looks at the inbox in turn ${n}`).toBeLessThanOrEqual(4);
      for (const { place } of requests) expect(place).toBe(`${prefix}runs`);
    }
    const [early, late] = [turn(10), turn(160)];
    console.log(`a turn: ${early.writes} writes, ${early.bytes} bytes; turn 160: ${late.bytes}`);
    expect(early.bytes).toBeGreaterThan(500);
    expect(early.bytes).toBeLessThanOrEqual(2_048);
    expect(late.bytes).toBeLessThanOrEqual(1.5 * early.bytes);
    expect(late.requests.map(({ body }) => body.length).reduce((a, b) => a + b)).toBeLessThan(
      1.5 * early.requests.map(({ body }) => body.length).reduce((a, b) => a + b),
    );
    // The claim of the session (a new one is in the index first), the run and its place in the index, the confirm.
    expect(writesTo(start)).toBe('index sessions index runs sessions');
    // The last turn, the session's commit, the run's entry among the unfinished, the lease.
    expect(writesTo(end).split(' ').toSorted()).toEqual(['index', 'runs', 'runs', 'sessions']);
  }, 60_000);
});

describe('a run that waits for an answer', () => {
  it('costs nothing', async () => {
    const prefix = azurite.prefix();
    const store = azureStorageStore({ connectionString: proxy.connectionString, prefix });
    const pay = tool({
      name: 'pay',
      description: 'Pays.',
      parameters: jsonSchema({ type: 'object' }, { validate: (value) => value }),
      needsApproval: true,
      execute: () => 'paid',
    });
    const model = scriptedModel([{ calls: [['pay', {}]] }, 'Paid.']);
    const runner = new Runner(new Agent({ name: 'till', model, tools: [pay] }), { store });
    const paused = await runner.run('Pay.');
    expect(paused.status).toBe('interrupted');
    proxy.clear();
    // Longer than a holder takes between two looks at the inbox.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(proxy.requests).toEqual([]);
    const decisions = paused.interruptions.map(({ id }) => ({
      interruptionId: id,
      approved: true as const,
    }));
    expect((await runner.resume(paused.runId, decisions)).status).toBe('completed');
    await store.close();
  });
});
