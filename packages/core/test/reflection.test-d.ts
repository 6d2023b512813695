import { z } from 'zod';
import {
  Agent,
  handoff,
  ReflectionAgent,
  run,
  withContext,
  type Evaluated,
  type Evaluation,
} from '../src/index.ts';

// What a ReflectionAgent is of its types. Compiled, never run.

// Two types are one when no conditional type tells them apart.
// oxlint-disable typescript/no-unnecessary-type-parameters
type Eq<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const ok = <T extends true>(): T | undefined => undefined;
// oxlint-enable typescript/no-unnecessary-type-parameters

interface Ctx {
  a: string;
}

// The function judges what the output type makes of a draft.
const plain = new ReflectionAgent({
  name: 'p',
  evaluationFunction: ({ output, response, message }) => {
    ok<Eq<typeof output, string>>();
    return output.length + response.length + message.length;
  },
});
ok<Eq<typeof plain, ReflectionAgent>>();
const typed = new ReflectionAgent({
  name: 't',
  outputType: z.object({ n: z.string().transform(Number) }),
  evaluationFunction: async ({ output }) => {
    ok<Eq<typeof output, { n: number }>>();
    return { score: output.n, feedback: 'More.', scores: { size: output.n } };
  },
});
ok<Eq<typeof typed, ReflectionAgent<unknown, { n: number }>>>();
const result = await run(typed, 'x');
if (result.status === 'completed') ok<Eq<typeof result.finalOutput, { n: number }>>();
ok<Eq<NonNullable<typeof result.reflection>['score'], number | undefined>>();

typed.configureReflection({ evaluationFunction: ({ output }) => output.n });
// @ts-expect-error the output has no m
typed.configureReflection({ evaluationFunction: ({ output }) => output.m });
// @ts-expect-error a judgement is a number or has a score
void new ReflectionAgent({ name: 'r', evaluationFunction: () => 'good' });
// @ts-expect-error the options are those of a ReflectionAgent
void new Agent({ name: 'a', reflectionThreshold: 0.5 });
const copy = typed.clone({ reflectionThreshold: 0.5, name: 'c' });
ok<Eq<typeof copy, ReflectionAgent<unknown, { n: number }>>>();

// It is an agent: with a context, in handoffs, as a tool.
const k = withContext<Ctx>();
const look = k.tool({
  name: 'look',
  description: '',
  parameters: z.object({}),
  execute: (_input, { context }) => context.a,
});
const own = new ReflectionAgent({
  name: 'o',
  tools: [look],
  evaluationFunction: ({ context }) => {
    ok<Eq<typeof context.context, Ctx>>();
    return context.context.a.length;
  },
});
ok<Eq<typeof own, ReflectionAgent<Ctx>>>();
// @ts-expect-error own declares a context
void run(own, 'x');
await run(own, 'x', { context: { a: '' } });
const desk = k.agent({ name: 'd', handoffs: [own, handoff(typed)], tools: [own.asTool()] });
ok<Eq<typeof desk, Agent<Ctx, string | { n: number }>>>();

// A function can be written on its own.
const brief = ({ response }: Evaluated): Evaluation => (response.length < 100 ? 1 : 0.5);
void new ReflectionAgent({ name: 'b', evaluationFunction: brief });
void new ReflectionAgent({ name: 'b', outputType: z.number(), evaluationFunction: brief });
