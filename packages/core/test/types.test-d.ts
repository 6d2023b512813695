import { toStandardJsonSchema } from '@valibot/to-json-schema';
import { type } from 'arktype';
import * as v from 'valibot';
import { z } from 'zod';
import {
  Agent,
  run,
  Runner,
  tool,
  withContext,
  type ChatRequest,
  type RunResult,
} from '../src/index.ts';

// What callers need not write, and what they cannot write by mistake. Compiled, never run.

// Two types are one when no conditional type tells them apart.
// oxlint-disable typescript/no-unnecessary-type-parameters
type Eq<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const ok = <T extends true>(): T | undefined => undefined;
// oxlint-enable typescript/no-unnecessary-type-parameters

interface Ctx {
  a: string;
}
interface Other {
  z: number;
}

// The output is text, or what the schema says: zod, arktype, valibot.
const plain = new Agent({ name: 'p' });
ok<Eq<typeof plain, Agent>>();
const za = new Agent({ name: 'z', outputType: z.object({ n: z.number() }) });
const rz = await run(za, 'x');
if (rz.status === 'completed') ok<Eq<typeof rz.finalOutput, { n: number }>>();
const ar = new Agent({ name: 'ar', outputType: type({ n: 'number' }) });
const rar = await run(ar, 'x');
if (rar.status === 'completed') ok<Eq<typeof rar.finalOutput, { n: number }>>();
const va = new Agent({
  name: 'v',
  outputType: toStandardJsonSchema(v.object({ n: v.number() })),
});
const rv = await run(va, 'x');
if (rv.status === 'completed') ok<Eq<typeof rv.finalOutput, { n: number }>>();
const moved = new Agent({
  name: 'm',
  outputType: z.object({ day: z.string().transform((day) => day.length) }),
});
ok<Eq<typeof moved, Agent<unknown, { day: number }>>>();

// Factories that are bound to a context.
const k = withContext<Ctx>();
const t = k.tool({
  name: 't',
  description: '',
  parameters: z.object({ q: z.string() }),
  needsApproval: ({ q }, c) => {
    ok<Eq<typeof q, string>>();
    return c.context.a === q;
  },
  execute: ({ q }, c) => {
    ok<Eq<typeof q, string>>();
    ok<Eq<typeof c.context, Ctx>>();
    return q.length;
  },
  toModelOutput: (length) => {
    ok<Eq<typeof length, number>>();
    return `${length}`;
  },
  reconcile: async ({ q }) => ({ done: true, output: q.length }),
});
const b = k.agent({ name: 'b', tools: [t], outputType: z.object({ n: z.number() }) });
ok<Eq<typeof b, Agent<Ctx, { n: number }>>>();
const tri = k.agent({ name: 'tri', tools: [t] });
ok<Eq<typeof tri, Agent<Ctx>>>();
const rt = await run(tri, 'x', { context: { a: '' } });
if (rt.status === 'completed') ok<Eq<typeof rt.finalOutput, string>>();

// A tool without a context fits any agent; one with another context does not.
const free = tool({
  name: 'f',
  description: '',
  parameters: z.object({}),
  execute: () => 'x',
});
k.agent({ name: 'c', tools: [free] });
const ko = withContext<Other>();
const ot = ko.tool({
  name: 'o',
  description: '',
  parameters: z.object({}),
  execute: (_input, c) => String(c.context.z),
});
// @ts-expect-error the tool wants Other, the agent gives Ctx
k.agent({ name: 'd', tools: [ot] });
// @ts-expect-error retries are counted
tool({ name: 'r', description: '', parameters: z.object({}), retry: 3, execute: () => 1 });
tool({
  name: 'i',
  description: '',
  parameters: z.object({ q: z.string() }),
  // @ts-expect-error the input is what the schema says
  execute: ({ p }) => p,
});

// A context is required exactly when it is needed.
// @ts-expect-error tri declares a context
void run(tri, 'x');
// @ts-expect-error of another form
void run(tri, 'x', { context: { a: 1 } });
// @ts-expect-error in a stream too
run(tri, 'x', { stream: true });
// @ts-expect-error and in chat
void tri.chat('x');
await tri.chat('x', { context: { a: '' } });
await plain.chat('x');
await run(plain, 'x');
const one: { n: number } = (await run(za, 'x')).orThrow();
const bare = new Runner(tri);
// @ts-expect-error the runner has no factory
void bare.run('x');
await bare.run('x', { context: { a: '' } });
const made = new Runner(tri, { context: () => ({ a: '' }) });
await made.run('x');
made.stream('x');
// @ts-expect-error a factory makes what the agent declares
void new Runner(tri, { context: () => ({ a: 1 }) });

// @ts-expect-error finalOutput is not usable before the status is looked at
const bad: { n: number } = rz.finalOutput;
if (rz.status === 'stopped') ok<Eq<typeof rz.finalOutput, undefined>>();

const stream = run(tri, 'x', { stream: true, context: { a: '' } });
for await (const event of stream) {
  if (event.type === 'text-delta') ok<Eq<typeof event.delta, string>>();
  if (event.type === 'tool-start') ok<Eq<typeof event.callId, string>>();
}
const runner = new Runner(tri);
const rr: RunResult = await runner.run({ message: 'hi', sessionId: 's' }, { context: { a: '' } });

class Sub extends Agent {
  override async processRequest(request: ChatRequest) {
    const result = await super.processRequest(request);
    return result;
  }
}
void new Sub({ name: 'sub' });

export { bad, one, rr };
