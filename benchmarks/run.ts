import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { join } from 'node:path';
import { measureColdStart } from './cold-start.ts';
import { coordinator, handoffs, type Crew } from './crew.ts';
import { measureMcp } from './mcp.ts';
import { heapPerRun, measureConcurrency } from './memory.ts';
import { measure, median, rangeOf, ratio, ratioOf, type Rounds } from './rounds.ts';
import { toMarkdown, type Figure, type Row } from './report.ts';
import { measureA2A } from './a2a.ts';
import { measureServers } from './server.ts';
import { measureWire } from './wire.ts';
import { Worker } from './worker-process.ts';
import { turns, type Workload } from './workloads.ts';

/**
 * `npm run bench`: the ratios of docs' performance budgets, beside a loop by hand and two other libraries. It prints and
 * writes them, and asserts nothing: the machine decides too much. `npm run bench W4 W7` measures these alone, and writes
 * nothing.
 */
const libraries = ['floor', 'ours', 'openai-agents', 'ai'] as const;
const peers = ['openai-agents', 'ai'] as const;
const started = performance.now();
const [load = 0] = loadavg();
const wanted = new Set(process.argv.slice(2));

function wants(...ids: readonly string[]): boolean {
  return wanted.size === 0 || ids.some((id) => wanted.has(id));
}

function say(text: string): void {
  console.error(
    `${String(Math.round((performance.now() - started) / 1_000)).padStart(4)} s  ${text}`,
  );
}

/** The loop itself: a process for each library, all of them through one workload after the other. */
async function loops(): Promise<readonly Row[]> {
  if (!wants('W1', 'W2', 'W3', 'W4', 'W5', 'G1', 'G2')) return [];
  const workers = await Promise.all(libraries.map((name) => Worker.start(name)));
  const rows: Row[] = [];
  const add = async (
    id: string,
    what: string,
    budget: string,
    workload: Workload | Crew,
    figure: (rounds: Rounds, name: string) => Figure = (rounds, name) =>
      ratio(rounds, name, 'floor'),
  ) => {
    if (!wants(id)) return undefined;
    say(`${id} ${what}`);
    const rounds = await measure(workers, workload);
    rows.push({
      id,
      what,
      budget,
      ours: figure(rounds, 'ours'),
      peers: peers.map((name) => figure(rounds, name)),
    });
    return rounds;
  };
  const ten = turns({ turns: 10, tools: 1 });
  try {
    await add('W1', 'one turn', '≤ 10', turns());
    const few = await add('W2', '10-turn tool loop', '≤ 2.5', ten);
    await add('W3', '2,000 deltas', '≤ 2.5', { kind: 'deltas', count: 2_000 });
    await add('W4', 'A → B → A by handoff', '≤ 4', handoffs, spread);
    await add('W5', '200 messages before one turn', '≤ 6', turns({ history: 200 }));
    if (wants('G1', 'G2')) {
      say('G1 late turns, G2 256 tools');
      rows.push(...(await growth(workers, few ?? (await measure(workers, ten)))));
    }
  } finally {
    for (const worker of workers) worker.stop();
  }
  return rows;
}

function spread(rounds: Rounds, name: string): Figure {
  return rangeOf(rounds.get(name), rounds.get('floor'), ({ processor }) => processor);
}

/** How costs grow, each library to itself. */
async function growth(workers: readonly Worker[], fewTools: Rounds): Promise<readonly Row[]> {
  const quick = { rounds: 7, warmUpMs: 600 };
  const at5 = await measure(workers, turns({ turns: 5, tools: 1 }), quick);
  const at60 = await measure(workers, turns({ turns: 60, tools: 1 }), quick);
  const at120 = await measure(workers, turns({ turns: 120, tools: 1 }), quick);
  const manyTools = await measure(workers, turns({ turns: 10, tools: 256 }), quick);
  const late = (name: string): number | undefined => {
    const before = at60.get(name);
    const late = at120.get(name)?.map(({ processor }, round) => {
      return (processor - (before?.[round]?.processor ?? Number.NaN)) / 60;
    });
    return ratioOf(
      late,
      at5.get(name)?.map(({ processor }) => processor / 5),
      (ms) => ms,
    );
  };
  const tools = (name: string): number | undefined => {
    const perRun = (rounds: Rounds) =>
      median((rounds.get(name) ?? []).map(({ processor }) => processor));
    const [many, few] = [perRun(manyTools), perRun(fewTools)];
    return many === undefined || few === undefined ? undefined : many / few;
  };
  const floorLate = late('floor') ?? Number.NaN;
  const scaled = (name: string): number => (late(name) ?? Number.NaN) / floorLate;
  return [
    {
      id: 'G1',
      what: 'a turn from 61 to 120 / a turn of a 5-turn loop, each to the loop by hand',
      budget: '≤ 1.3',
      ours: scaled('ours'),
      peers: peers.map(scaled),
    },
    {
      id: 'G2',
      what: '256 tools / 1 tool',
      budget: '≤ 1.5',
      ours: tools('ours'),
      peers: peers.map(tools),
    },
  ];
}

async function concurrency(): Promise<readonly Row[]> {
  if (!wants('W6')) return [];
  say('W6 1,000 runs at once');
  const thinking = turns({ delayMs: 50 });
  const rows = await together(
    'W6',
    '1,000 runs at once, model of 50 ms',
    thinking,
    '≤ 1.4',
    '≤ 1.3',
  );
  const heap = new Map<string, number>();
  for (const name of libraries) heap.set(name, await heapPerRun(name, thinking));
  const kilobytes = (name: string) => (heap.get(name) ?? Number.NaN) / 1_024;
  return [
    ...rows,
    {
      id: 'W6',
      what: `… KB of heap a run in flight (by hand: ${kilobytes('floor').toFixed(1)})`,
      budget: '≤ 6',
      ours: kilobytes('ours'),
      peers: peers.map(kilobytes),
    },
  ];
}

async function coordinators(): Promise<readonly Row[]> {
  if (!wants('W7')) return [];
  say('W7 1,000 coordinators at once');
  const what = '1,000 coordinators at once, 3 specialists side by side each, models of 50 ms';
  return together('W7', what, coordinator(50));
}

async function together(
  id: string,
  what: string,
  workload: Workload | Crew,
  wallBudget = '',
  memoryBudget = '',
): Promise<readonly Row[]> {
  const measured = await measureConcurrency(libraries, 'floor', workload);
  const row = (named: string, budget: string, of: 'wall' | 'peakRss'): Row => ({
    id,
    what: named,
    budget,
    ours: measured.get('ours')?.[of],
    peers: peers.map((name) => measured.get(name)?.[of]),
  });
  return [
    row(`${what}: time`, wallBudget, 'wall'),
    row('… peak memory of the process', memoryBudget, 'peakRss'),
  ];
}

async function tracing(): Promise<readonly Row[]> {
  if (!wants('T1')) return [];
  say('T1 tracing');
  const workers = [await Worker.start('ours'), await Worker.start('ours-traced')];
  try {
    const rounds = await measure(workers, turns({ turns: 10, tools: 1 }), { rounds: 21 });
    return [
      {
        id: 'T1',
        what: 'W2 with a tracer that nobody listens to / without',
        budget: '≤ 1.1',
        ours: ratio(rounds, 'ours-traced', 'ours'),
      },
    ];
  } finally {
    for (const worker of workers) worker.stop();
  }
}

async function wire(): Promise<readonly Row[]> {
  if (!wants('N1')) return [];
  say('N1 over HTTP');
  return (await measureWire()).flatMap(({ name, wall, processor }): Row[] => [
    { id: 'N1', what: `${name}, over HTTP / raw openai SDK`, budget: '≤ 1.15', ours: wall },
    ...(processor === undefined
      ? []
      : [{ id: 'N1', what: '… processor time of the client', budget: '', ours: processor }]),
  ]);
}

async function servers(): Promise<readonly Row[]> {
  if (!wants('H1', 'H2')) return [];
  say('H1, H2 servers');
  const { toRunner, toFloor } = await measureServers();
  const under = 'node:http by hand';
  return [
    { id: 'H1', what: `request / ${under}, our Runner`, budget: '≤ 1.6', ours: toRunner.request },
    { id: 'H1', what: `request / ${under}, loop by hand`, budget: '', ours: toFloor.request },
    {
      id: 'H2',
      what: `first byte of a stream / ${under}, our Runner`,
      budget: '≤ 1.4',
      ours: toRunner.firstByte,
    },
    {
      id: 'H2',
      what: `first byte of a stream / ${under}, loop by hand`,
      budget: '',
      ours: toFloor.firstByte,
    },
    {
      id: 'H2',
      what: `stream of 200 deltas / ${under}, our Runner`,
      budget: '≤ 1.0',
      ours: toRunner.stream,
    },
    {
      id: 'H2',
      what: `stream of 200 deltas / ${under}, loop by hand`,
      budget: '',
      ours: toFloor.stream,
    },
  ];
}

async function mcp(): Promise<readonly Row[]> {
  if (!wants('M1')) return [];
  say('M1 MCP');
  const what =
    'a call of an MCP tool over HTTP / bare callTool of its SDK, processor time of the client';
  return [{ id: 'M1', what, budget: '', ours: await measureMcp() }];
}

async function a2aServers(): Promise<readonly Row[]> {
  if (!wants('A1')) return [];
  say('A1 A2A servers');
  const { request, firstByte, stream } = await measureA2A();
  const under = 'a bare server of @a2a-js/sdk';
  return [
    { id: 'A1', what: `A2A: send / ${under}`, budget: '', ours: request },
    { id: 'A1', what: `A2A: first byte of a stream / ${under}`, budget: '', ours: firstByte },
    { id: 'A1', what: `A2A: stream of 200 deltas / ${under}`, budget: '', ours: stream },
  ];
}

async function coldStart(): Promise<readonly Row[]> {
  if (!wants('C1', 'C4')) return [];
  say('C1, C4 imports');
  const { core, functionApp, storedFunctionApp } = await measureColdStart();
  return [
    { id: 'C1', what: 'import of core / of zod', budget: '≤ 0.30', ours: core },
    {
      id: 'C4',
      what: 'import of a whole Function App / of @azure/functions',
      budget: '≤ 1.5',
      ours: functionApp,
    },
    {
      id: 'C4',
      what: 'the same with its storage account configured',
      budget: '≤ 1.5',
      ours: storedFunctionApp,
    },
  ];
}

const rows = [
  ...(await loops()),
  ...(await concurrency()),
  ...(await coordinators()),
  ...(await tracing()),
  ...(await wire()),
  ...(await servers()),
  ...(await mcp()),
  ...(await a2aServers()),
  ...(await coldStart()),
];
const versionOf = (manifest: string): string =>
  JSON.parse(readFileSync(join(import.meta.dirname, manifest), 'utf8')).version;
const versions = {
  ours: versionOf('../packages/core/package.json'),
  'openai-agents': versionOf('node_modules/@openai/agents/package.json'),
  ai: versionOf('node_modules/ai/package.json'),
  node: process.versions.node,
};
const date = new Date().toISOString().slice(0, 10);
const folder = join(import.meta.dirname, 'results');
mkdirSync(folder, { recursive: true });
// The results of a release stay as they are: what comes after it is `next`.
const released = existsSync(join(folder, `${versions.ours}.md`));
const name = released ? 'next' : versions.ours;
const title = released ? `Benchmarks after ${versions.ours}` : `Benchmarks of ${versions.ours}`;
const circumstances = { title, date, processors: availableParallelism(), load };
const markdown = toMarkdown(rows, versions, circumstances);
if (wanted.size === 0) {
  writeFileSync(join(folder, `${name}.md`), markdown);
  writeFileSync(
    join(folder, `${name}.json`),
    `${JSON.stringify({ ...circumstances, versions, rows }, undefined, 2)}\n`,
  );
  say(`written to benchmarks/results/${name}.md and .json`);
}
console.log(markdown);
