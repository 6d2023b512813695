/**
 * What turns cost, counted and not timed, on the built packages; run with --expose-gc, prints JSON.
 * The work of the doubles (a model that plays a script, the memory store) is part of the counts.
 */
import {
  Agent,
  memoryStore,
  Runner,
  tool,
  type RunStore,
  type Schema,
  type Store,
} from '@agent-functions/core';
import { scriptedModel, type ScriptedTurn } from '@agent-functions/core/testing';

const weather = { city: 'Seattle' };

function script(turns: number): readonly ScriptedTurn[] {
  const call: ScriptedTurn = { calls: [['get_weather', weather]] };
  return [...Array.from({ length: turns - 1 }, () => call), 'It is sunny.'];
}

let schemaConversions = 0;
const schema: Schema<unknown, { city: string }> = {
  '~standard': {
    version: 1,
    vendor: 'probe',
    validate: () => ({ value: weather }),
    jsonSchema: {
      input: () => {
        schemaConversions += 1;
        return { type: 'object', properties: { city: { type: 'string' } } };
      },
      output: () => ({}),
    },
  },
};

function agentOf(turns: number, tools: number): Agent {
  return new Agent({
    name: 'probe',
    instructions: 'Be kind.',
    model: scriptedModel(script(turns), { record: false }),
    maxTurns: turns + 1,
    tools: Array.from({ length: tools }, (_, index) =>
      tool({
        name: index === 0 ? 'get_weather' : `tool_${index}`,
        description: 'Weather in a city',
        parameters: schema,
        effect: 'read',
        execute: () => ({ temperature: 21 }),
      }),
    ),
  });
}

/** How often the costly things are called, and on how much, in a run of so many turns. */
async function callsOfRun(turns: number, tools: number) {
  schemaConversions = 0;
  const agent = agentOf(turns, tools);
  const counts = { stringify: 0, stringifiedCharacters: 0, parse: 0, clone: 0 };
  const restore = [
    watch(JSON, 'stringify', (text) => {
      counts.stringify += 1;
      counts.stringifiedCharacters += typeof text === 'string' ? text.length : 0;
    }),
    watch(JSON, 'parse', () => (counts.parse += 1)),
    watch(globalThis, 'structuredClone', () => (counts.clone += 1)),
  ];
  try {
    const result = await new Runner(agent).run('How is the weather?');
    if (result.status !== 'completed') throw new Error(`The run ended ${result.status}.`);
  } finally {
    for (const undo of restore) undo();
  }
  return { ...counts, schemas: schemaConversions };
}

/** Calls `seen` with each result of a function, until the answered function is called. */
function watch(owner: object, name: string, seen: (result: unknown) => void): () => void {
  const original: unknown = Reflect.get(owner, name);
  if (typeof original !== 'function') throw new Error(`${name} is no function.`);
  Reflect.set(owner, name, (...args: readonly unknown[]): unknown => {
    const result: unknown = Reflect.apply(original, owner, args);
    seen(result);
    return result;
  });
  return () => Reflect.set(owner, name, original);
}

/** Bytes and writes of each append to a store, in order. */
async function writesOfRun(turns: number) {
  const bytes: number[] = [];
  const other: string[] = [];
  const store = memoryStore();
  const writes: readonly (keyof RunStore)[] = ['create', 'post', 'acquire', 'renew', 'release'];
  const runs = new Proxy(store.runs, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      return (...args: readonly unknown[]): unknown => {
        if (name === 'append') bytes.push(JSON.stringify(args[1]).length);
        else if (writes.some((each) => each === name)) other.push(String(name));
        return Reflect.apply(value, target, args);
      };
    },
  });
  const watched: Store = { ...store, runs };
  const result = await new Runner(agentOf(turns, 1), { store: watched }).run('How is the weather?');
  if (result.status !== 'completed') throw new Error(`The run ended ${result.status}.`);
  return { appends: bytes.length, bytes: bytes.reduce((sum, each) => sum + each, 0), other };
}

/** Heap that so many finished runs leave behind, a run: the slope, so that what is allocated once does not count. */
async function heapOfFinishedRun(): Promise<number> {
  const model = scriptedModel(() => 'It is sunny.', { record: false });
  const agent = new Agent({ name: 'probe', instructions: 'Be kind.', model });
  const runner = new Runner(agent);
  const heapAfter = async (runs: number): Promise<number> => {
    for (let index = 0; index < runs; index += 1) await runner.run('Hello');
    globalThis.gc?.();
    globalThis.gc?.();
    return process.memoryUsage().heapUsed;
  };
  const before = await heapAfter(5_000);
  const after = await heapAfter(10_000);
  return (after - before) / 10_000;
}

console.log(
  JSON.stringify({
    turns20: await callsOfRun(20, 1),
    turns40: await callsOfRun(40, 1),
    turns80: await callsOfRun(80, 1),
    tools256: await callsOfRun(20, 256),
    writes10: await writesOfRun(10),
    writes20: await writesOfRun(20),
    writes160: await writesOfRun(160),
    writes170: await writesOfRun(170),
    heapOfFinishedRun: await heapOfFinishedRun(),
  }),
);
