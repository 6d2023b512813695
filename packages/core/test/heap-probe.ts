import { Agent, memoryStore, Runner } from '../src/index.ts';
import { scriptedModel } from '../src/testing/index.ts';

// Run with --expose-gc; prints what runs keep of the heap, in bytes, as JSON.

function heap(): number {
  if (globalThis.gc === undefined) throw new Error('Run with --expose-gc.');
  for (let round = 0; round < 4; round += 1) globalThis.gc();
  return process.memoryUsage().heapUsed;
}

const settle = () => new Promise<void>((resolve) => setTimeout(resolve, 30));

/** What a run keeps after its end, without a store: the slope between 5,000 and 15,000 runs. */
async function finished(use: (runner: Runner) => Promise<unknown>): Promise<number> {
  const agent = new Agent({ name: 'bot', model: scriptedModel(() => 'Hi.', { record: false }) });
  const runner = new Runner(agent);
  const many = async (count: number) => {
    for (let index = 0; index < count; index += 1) await use(runner);
    await settle();
    return heap();
  };
  const before = await many(5_000);
  return ((await many(10_000)) - before) / 10_000;
}

/** A promise of our own, that tells who waits for it. */
function thenable(onWait: (go: (value: undefined) => unknown) => void): PromiseLike<undefined> {
  return {
    // oxlint-disable-next-line unicorn/no-thenable
    then<A, B>(go?: ((value: undefined) => A | PromiseLike<A>) | null): PromiseLike<A | B> {
      if (go !== undefined && go !== null) onWait(go);
      return never;
    },
  };
}
const never = new Promise<never>(() => undefined);

/** What a run holds while its model works. */
async function inFlight(options: { readonly stored: boolean }): Promise<number> {
  const count = 2_000;
  // One turn for all, which waits in one place: what is counted is the run, not the double.
  const gates: ((value: undefined) => unknown)[] = [];
  const before = (): PromiseLike<undefined> => waiting;
  const waiting = thenable((go) => gates.push(go));
  const model = scriptedModel([{ before, text: 'Hi.' }], { record: false, by: 'conversation' });
  const agent = new Agent({ name: 'bot', model });
  const runner = new Runner(
    agent,
    options.stored ? { store: memoryStore({ maxRuns: count * 3 }) } : {},
  );
  const start = () => Array.from({ length: count }, () => runner.run('Hi'));
  const open = async (runs: readonly Promise<unknown>[]) => {
    while (gates.length < count) await settle();
    for (const gate of gates.splice(0)) gate(undefined);
    await Promise.all(runs);
  };
  await open(start());
  await settle();
  const idle = heap();
  const runs = start();
  while (gates.length < count) await settle();
  const held = heap() - idle;
  await open(runs);
  return held / count;
}

/** What looking at an ended run leaves behind. */
async function watched(): Promise<number> {
  const agent = new Agent({ name: 'bot', model: scriptedModel(() => 'Hi.', { record: false }) });
  const runner = new Runner(agent, { store: memoryStore({ maxRuns: 100 }) });
  const many = async (count: number) => {
    for (let index = 0; index < count; index += 1) {
      const { runId } = await runner.run('Hi');
      for await (const _ of runner.events(runId));
      for await (const _ of runner.events(runId, { follow: true })) break;
    }
    await settle();
    return heap();
  };
  const before = await many(3_000);
  return ((await many(6_000)) - before) / 6_000;
}

console.log(
  JSON.stringify({
    finished: await finished((runner) => runner.run('Hi')),
    streamed: await finished(async (runner) => {
      for await (const _ of runner.stream('Hi'));
    }),
    inFlight: await inFlight({ stored: false }),
    inFlightStored: await inFlight({ stored: true }),
    watched: await watched(),
  }),
);
