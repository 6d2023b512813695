import { toStandardJsonSchema } from '@valibot/to-json-schema';
import { type } from 'arktype';
import * as v from 'valibot';
import { z } from 'zod';
import {
  Agent,
  handoff,
  HandoffMode,
  ReflectionAgent,
  run,
  Runner,
  withContext,
  type Guardrail,
  type Handoff,
  type HandoffMessage,
  type HandoffOptions,
  type Json,
  type JsonObject,
  type Message,
  type Middleware,
  type OutputOf,
  type RunResult,
  type Tool,
} from '../src/index.ts';

// What a run that may be handed over can produce, and whom an agent may hand to. Compiled, never run.

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
interface N {
  n: number;
}
const k = withContext<Ctx>();
const ko = withContext<Other>();

const plain = new Agent({ name: 'p' });
const za = new Agent({ name: 'z', outputType: z.object({ n: z.number() }) });
const b = k.agent({ name: 'b', outputType: z.object({ n: z.number() }) });
const o = ko.agent({ name: 'o' });

// The output is the agent's own and that of everybody it can hand to.
const tri = k.agent({ name: 'tri', handoffs: [b, k.handoff(plain)] });
ok<Eq<typeof tri, Agent<Ctx, string | N>>>();
const rt = await run(tri, 'x', { context: { a: '' } });
if (rt.status === 'completed') ok<Eq<typeof rt.finalOutput, string | N>>();
const r = new Runner(tri);
const rr: RunResult<string | N> = await r.run(
  { message: 'hi', sessionId: 's' },
  { context: { a: '' } },
);
const streamed = await run(tri, 'x', { stream: true, context: { a: '' } }).result;
ok<Eq<typeof streamed, RunResult<string | N>>>();
const thrown = (await tri.chat('x', { context: { a: '' } })).orThrow();
ok<Eq<typeof thrown, string | N>>();
const elsewhere = await r.resume('run');
ok<Eq<typeof elsewhere, RunResult<string | N>>>();

// Through a chain of handoffs, and with an output of its own.
const desk = k.agent({ name: 'desk', outputType: type({ ok: 'boolean' }), handoffs: [tri] });
ok<Eq<typeof desk, Agent<Ctx, { ok: boolean } | string | N>>>();
ok<Eq<OutputOf<Handoff<Ctx, N>>, N>>();
ok<Eq<OutputOf<typeof b | typeof plain>, string | N>>();
const none = k.agent({ name: 'none' });
ok<Eq<typeof none, Agent<Ctx>>>();

// A list that is read on first use, and two agents that hand off to each other: one annotation.
const lazy = k.agent({ name: 'lazy', handoffs: () => [b] });
ok<Eq<typeof lazy, Agent<Ctx, string | N>>>();
const ping: Agent<Ctx> = k.agent({ name: 'ping', handoffs: () => [pong] });
const pong = k.agent({ name: 'pong', handoffs: [ping] });
ok<Eq<typeof pong, Agent<Ctx>>>();

// Without the factory the output must be said, or be the same.
// @ts-expect-error another output needs the factory, or the union in writing
void new Agent({ name: 'e', handoffs: [za] });
// @ts-expect-error in a lazy list too
void new Agent({ name: 'e', handoffs: () => [za] });
void new Agent<unknown, string | N>({ name: 'e', handoffs: [za] });
void new Agent({ name: 'e', handoffs: [plain, handoff(plain)] });

// Whoever is handed to must do with the context that is there.
// @ts-expect-error o wants Other
k.agent({ name: 'd', handoffs: [o] });
// @ts-expect-error said with handoff()
k.agent({ name: 'd', handoffs: [k.handoff(o)] });
// @ts-expect-error in a lazy list
k.agent({ name: 'd', handoffs: () => [o] });
k.agent({
  name: 'd',
  // @ts-expect-error as a target of a config
  handoffConfig: { mode: HandoffMode.SWARM, targets: [{ agent: o }] },
});
// @ts-expect-error as a tool
k.agent({ name: 'd', tools: [o.asTool()] });
// @ts-expect-error an agent without a context has none to give
void new Agent({ name: 'd', handoffs: [b] });
k.agent({ name: 'd', handoffs: [plain], tools: [za.asTool()] });
ok<Eq<ReturnType<typeof b.asTool>, Tool<Ctx>>>();

// What the model must say, by zod, arktype and valibot.
const byZod = k.handoff(b, {
  inputType: z.object({ order: z.string().transform((order) => order.length) }),
  onHandoff: ({ context }, input) => {
    ok<Eq<typeof context, Ctx>>();
    ok<Eq<typeof input, { order: number }>>();
  },
  isEnabled: ({ context }) => context.a !== '',
  history: (messages, { context }) => {
    ok<Eq<typeof messages, readonly Message[]>>();
    return context.a === '' ? [] : messages;
  },
  transformInput: (input) => {
    ok<Eq<typeof input, Json>>();
    return { input };
  },
});
ok<Eq<typeof byZod, Handoff<Ctx, N>>>();
k.handoff(b, {
  inputType: type({ order: 'string' }),
  onHandoff: (_context, input) => void ok<Eq<typeof input, { order: string }>>(),
});
k.handoff(b, {
  inputType: toStandardJsonSchema(v.object({ order: v.string() })),
  onHandoff: (_context, input) => void ok<Eq<typeof input, { order: string }>>(),
});
k.handoff(b, {
  onHandoff: (_context, input) => void ok<Eq<typeof input, HandoffMessage>>(),
});
// @ts-expect-error there is no such return
k.handoff(b, { controlReturn: 'whenever' });

// What an agent is asked as a tool, by the same three.
b.asTool({
  parameters: z.object({ city: z.string() }),
  needsApproval: (input, { context }) => {
    ok<Eq<typeof input, { city: string }>>();
    return context.a === input.city;
  },
});
b.asTool({
  parameters: type({ city: 'string' }),
  needsApproval: ({ city }) => city === '',
});
b.asTool({
  parameters: toStandardJsonSchema(v.object({ city: v.string() })),
  needsApproval: ({ city }) => city === '',
});
b.asTool({ needsApproval: ({ message }, { context }) => message === context.a });
b.asTool({
  parameters: z.object({ city: z.string() }),
  // @ts-expect-error the input is what the schema says
  needsApproval: ({ town }) => town === '',
});

// Conditions, guardrails and middleware see the context.
k.agent({
  name: 'configured',
  handoffConfig: {
    mode: HandoffMode.CONDITIONAL,
    targets: [
      {
        agent: b,
        condition: ({ message, context, requestContext }) => {
          ok<Eq<typeof message, string>>();
          ok<Eq<typeof context, Ctx>>();
          ok<Eq<typeof requestContext, JsonObject>>();
          return context.a === message;
        },
      },
      { agentName: 'plain', condition: 'the customer is angry' },
      {
        agentName: 'p',
        // @ts-expect-error there is no such key in the context
        condition: ({ context }) => context.z === 1,
      },
    ],
  },
});
const guard = k.guardrail({
  name: 'g',
  check: ({ value, context }) => {
    ok<Eq<typeof context.context, Ctx>>();
    ok<Eq<typeof value, Json>>();
    return context.context.a === value
      ? { action: 'allow' }
      : { action: 'reject', message: 'Not this.' };
  },
});
const around = k.middleware({
  name: 'm',
  wrapModelCall: (request, { context }, next) => {
    ok<Eq<typeof context, Ctx>>();
    return next(request);
  },
  wrapToolCall: (call, { context, callId }, next) => {
    ok<Eq<typeof context, Ctx>>();
    ok<Eq<typeof callId, string>>();
    return next(call.input);
  },
});
const guarded = { inputGuardrails: [guard], outputGuardrails: [guard], middleware: [around] };
k.agent({ name: 'guarded', ...guarded });
void new Runner(tri, { middleware: [around] });
// @ts-expect-error a guardrail of another context
ko.agent({ name: 'guarded', inputGuardrails: [guard] });
// @ts-expect-error middleware of another context
ko.agent({ name: 'guarded', middleware: [around] });
// @ts-expect-error of a run too
void run(o, 'x', { context: { z: 1 }, middleware: [around] });
// @ts-expect-error a guardrail decides one of four things
k.guardrail({ name: 'g', check: () => ({ action: 'block' }) });

// An agent that reflects is one: its function is handed the output.
const judged = new ReflectionAgent<Ctx, N>({
  name: 'judged',
  outputType: z.object({ n: z.number() }),
  evaluationFunction: ({ output }) => {
    ok<Eq<typeof output, N>>();
    return output.n;
  },
});
const toJudged = k.agent({ name: 'toJudged', handoffs: [judged] });
ok<Eq<typeof toJudged, Agent<Ctx, string | N>>>();

// A handoff by the app, and the events of one.
const handed = await r.handoffTo({ targetAgent: 'b', inputData: { n: 1 } }, { context: { a: '' } });
ok<Eq<typeof handed, RunResult<unknown>>>();
// @ts-expect-error it needs the context as run() does
void r.handoffTo({ targetAgent: 'b', inputData: '' });
for await (const event of run(tri, 'x', { stream: true, context: { a: '' } })) {
  if (event.type === 'handoff') ok<Eq<typeof event.to, string>>();
  if (event.type === 'route') ok<Eq<typeof event.to, string | undefined>>();
  if (event.type === 'guardrail-result') ok<Eq<typeof event.name, string>>();
  if (event.type === 'reflection') ok<Eq<typeof event.accepted, boolean>>();
}

// Named without a context, they serve agents of whatever context, and take nothing from the agent that has them.
const anywhere: Guardrail = { name: 'anywhere', check: () => ({ action: 'allow' }) };
const logged: Middleware = {
  name: 'logged',
  wrapModelCall: (asked, _context, next) => next(asked),
};
const everywhere = { inputGuardrails: [anywhere], middleware: [logged] };
k.agent({ name: 'everywhere', ...everywhere });
const plainly = new Agent({ name: 'plainly', ...everywhere });
ok<Eq<typeof plainly, Agent>>();
const toPlainly: Handoff<unknown, string> = handoff(plainly);
k.agent({ name: 'toPlainly', handoffs: [toPlainly], tools: [plainly.asTool()] satisfies Tool[] });

const options: HandoffOptions<Ctx, N> = { onHandoff: (_context, { n }) => void n };
export { guarded, options, rr };
