import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { dyingStore, journalOf, reloaded, testClock } from '../test/engine.ts';
import {
  allow,
  guardrail,
  reject,
  rewrite,
  said,
  shownOf,
  tripwire,
  watched,
} from '../test/guards.ts';
import { Agent } from './agent.ts';
import type { RunEvent } from './events.ts';
import type { GuardrailResult } from './guardrail.ts';
import type { Json, JsonObject } from './json.ts';
import { memoryStore } from './memory-store.ts';
import { textOf } from './message.ts';
import type { RunOptions, RunResult } from './run-result.ts';
import { Runner } from './runner.ts';
import type { Store } from './store.ts';
import { scriptedModel } from './testing/index.ts';
import { tool } from './tool.ts';

// Guardrails of every kind together: whoever takes the next step, and wherever, the run comes to the same.

const numRuns = 150;
const decide = fc.constantFrom('allow', 'rewrite', 'reject', 'tripwire');
const mostlyFine = fc.oneof(
  { weight: 3, arbitrary: fc.constant('allow') },
  { weight: 2, arbitrary: fc.constant('rewrite') },
  { weight: 1, arbitrary: decide },
);
const ticks = fc.nat({ max: 3 });

const plans: fc.Arbitrary<Plan> = fc.record({
  input: fc.array(fc.record({ action: mostlyFine, blocking: fc.boolean(), ticks }), {
    maxLength: 3,
  }),
  modelTicks: ticks,
  /** By turn: the calls, and what the guardrails of the tool say of each. */
  turns: fc.array(
    fc.array(fc.record({ input: mostlyFine, output: mostlyFine, asks: fc.boolean() }), {
      minLength: 1,
      maxLength: 3,
    }),
    { maxLength: 2 },
  ),
  /** By answer: what the output guardrails say of it. */
  output: fc.array(fc.array(mostlyFine, { minLength: 1, maxLength: 2 }), { maxLength: 3 }),
  /** All of it happens in an agent that was called. */
  called: fc.boolean(),
});
interface Plan {
  readonly input: readonly {
    readonly action: string;
    readonly blocking: boolean;
    readonly ticks: number;
  }[];
  readonly modelTicks: number;
  readonly turns: readonly (readonly {
    readonly input: string;
    readonly output: string;
    readonly asks: boolean;
  }[])[];
  readonly output: readonly (readonly string[])[];
  readonly called: boolean;
}

function resultOf(action: string, value: Json): GuardrailResult {
  if (action === 'rewrite') return rewrite(value);
  if (action === 'reject') return reject('Refused.');
  return action === 'tripwire' ? tripwire('SECRET') : allow;
}

async function wait(count: number): Promise<void> {
  for (let tick = 0; tick < count; tick += 1) await new Promise(setImmediate);
}

const parameters = z.object({ turn: z.number(), call: z.number(), clean: z.boolean().optional() });

/** The agent as a process has it; `asks` notes what its guardrails are asked. */
function agentOf(plan: Plan, asks: string[]): Agent {
  const call = (value: unknown) => {
    const { turn, call: index } = parameters.parse(value);
    return plan.turns[turn]?.[index];
  };
  const work = tool({
    name: 'work',
    description: 'Works',
    parameters,
    effect: 'idempotent',
    needsApproval: (input) => call(input)?.asks ?? false,
    execute: ({ turn, call: index, clean }) => `CANARY result ${turn} ${index} ${clean}`,
    guardrails: {
      input: [
        guardrail('tool-in', ({ value }) => {
          asks.push(`tool-in ${said(value)}`);
          return resultOf(call(value)?.input ?? 'allow', {
            ...(value as JsonObject),
            clean: true,
          });
        }),
      ],
      output: [
        guardrail('tool-out', ({ value }) => {
          asks.push(`tool-out ${said(value)}`);
          const [, , turn, index] = said(value).split(' ').map(Number);
          const action = plan.turns[turn ?? -1]?.[index ?? -1]?.output ?? 'allow';
          return resultOf(action, 'a clean result');
        }),
      ],
    },
  });
  const outputs = Math.max(0, ...plan.output.map(({ length }) => length));
  const model = scriptedModel(
    async ({ messages }) => {
      await wait(plan.modelTicks);
      const turns = messages.filter(({ role }) => role === 'assistant').length;
      const calls = plan.turns[turns];
      if (calls === undefined) return `CANARY answer ${turns - plan.turns.length}`;
      return {
        text: 'CANARY beside',
        calls: calls.map((_, index) => ['work', { turn: turns, call: index }] as const),
      };
    },
    { by: 'conversation' },
  );
  const inner = new Agent({
    name: 'bot',
    model,
    tools: [work],
    inputGuardrails: plan.input.map(({ action, blocking, ticks: slow }, index) =>
      guardrail(
        `in${index}`,
        async ({ value }) => {
          asks.push(`in${index} ${said(value)}`);
          await wait(slow);
          return resultOf(action, `${said(value)}+in${index}`);
        },
        blocking ? 'blocking' : 'parallel',
      ),
    ),
    outputGuardrails: Array.from({ length: outputs }, (_, index) =>
      guardrail(`out${index}`, ({ value }) => {
        asks.push(`out${index} ${said(value)}`);
        const answer = Number(/\d+/.exec(said(value))?.[0] ?? 0);
        return resultOf(plan.output[answer]?.[index] ?? 'allow', `clean answer ${answer}`);
      }),
    ),
  });
  if (!plan.called) return inner;
  return new Agent({
    name: 'desk',
    model: scriptedModel(
      ({ messages }, turn) =>
        turn === 0
          ? { calls: [['bot', { message: 'Go.' }]] }
          : `It said: ${JSON.stringify(messages.at(-1)?.parts)}`,
      { by: 'conversation' },
    ),
    tools: [inner.asTool({ toolName: 'bot' })],
  });
}

/** What a run came to, without what the speed of a model and a guardrail decides: usage. */
async function seen(store: Store, result: RunResult) {
  const { status, response, toolResults, newMessages, error } = result;
  const { messages } = await store.sessions.load('s');
  return JSON.parse(
    JSON.stringify([status, response, toolResults, newMessages, error, messages]).replaceAll(
      result.runId,
      'RUN',
    ),
  );
}

const decisionsOf = (journal: readonly RunEvent[]) =>
  journal
    .flatMap((event) =>
      event.type === 'guardrail-result'
        ? [
            `${event.frame} ${event.on} ${event.callId} ${event.name} ${event.action} ${said(event.value ?? null)}`,
          ]
        : [],
    )
    .toSorted();

const approvals = (result: RunResult) =>
  result.interruptions.map(({ id }) => ({ interruptionId: id, approved: true as const }));

async function inOneGo(plan: Plan, options: RunOptions = { sessionId: 's' }) {
  const asks: string[] = [];
  const store = memoryStore();
  const runner = new Runner(agentOf(plan, asks), { store });
  let result = await runner.run('Go.', options);
  while (result.status === 'interrupted') {
    result = await runner.resume(result.runId, approvals(result));
  }
  return { asks, store, result, journal: await journalOf(store, result.runId) };
}

const tripped = (journal: readonly RunEvent[]) =>
  journal.some((event) => event.type === 'guardrail-result' && event.action === 'tripwire');

test('step by step, each in a new process, it comes to the same, and nothing is asked twice', async () => {
  await fc.assert(
    fc.asyncProperty(plans, async (plan) => {
      const whole = await inOneGo(plan);
      const asks: string[] = [];
      let store = memoryStore();
      const { runId } = await new Runner(agentOf(plan, asks), { store }).start('Go.', {
        sessionId: 's',
      });
      for (let status = 'running'; status === 'running' || status === 'interrupted';) {
        store = await reloaded(store, runId);
        const runner = new Runner(agentOf(plan, asks), { store });
        const step = await runner.step(runId);
        ({ status } = step);
        for (const one of step.interruptions) {
          const decisions = [{ interruptionId: one.id, approved: true as const }];
          await runner.post(runId, { id: one.id, type: 'decide', decisions });
        }
      }
      const result = await new Runner(agentOf(plan, asks), { store }).get(runId);
      if (result === undefined || result.status === 'running') throw new Error('It goes on.');
      const journal = await journalOf(store, runId);
      expect(await seen(store, result)).toEqual(await seen(whole.store, whole.result));
      expect(decisionsOf(journal)).toEqual(decisionsOf(whole.journal));
      expect(asks.toSorted()).toEqual(whole.asks.toSorted());
    }),
    { numRuns },
  );
});

test('killed before or after any write, another process comes to the same', async () => {
  await fc.assert(
    fc.asyncProperty(
      plans,
      fc.record({
        write: fc.integer({ min: 1, max: 16 }),
        when: fc.constantFrom('before' as const, 'after' as const),
      }),
      async (plan, at) => {
        const whole = await inOneGo(plan);
        const asks: string[] = [];
        const clock = testClock();
        const store = memoryStore({ now: clock.now });
        const crash = dyingStore(store, at);
        const first = new Runner(agentOf(plan, []), { store: crash.store });
        const life = (async () => {
          let result = await first.run('Go.', { sessionId: 's' });
          while (result.status === 'interrupted') {
            result = await first.resume(result.runId, approvals(result));
          }
        })();
        await Promise.race([life, crash.gone]);
        life.catch(() => undefined);
        const [header] = (await store.runs.list({ limit: 1 })).runs;
        if (header === undefined) return;
        const { runId } = header;
        const recorded = await journalOf(store, runId);
        clock.pass(60_000);
        const second = new Runner(agentOf(plan, asks), { store });
        let result = await second.resume(runId);
        while (result.status === 'interrupted') {
          result = await second.resume(runId, approvals(result));
        }
        const journal = await journalOf(store, runId);
        expect(journal.slice(0, recorded.length)).toEqual(recorded);
        // A tripwire stops what runs beside it, wherever that is by then.
        if (tripped(whole.journal)) expect(result.error).toEqual(whole.result.error);
        else expect(await seen(store, result)).toEqual(await seen(whole.store, whole.result));
      },
    ),
    { numRuns: numRuns * 2 },
  );
});

test('nobody is shown what did not pass', async () => {
  await fc.assert(
    fc.asyncProperty(plans, async (plan) => {
      const cautious = {
        ...plan,
        turns: plan.turns.map((calls) =>
          calls.map((one) => ({
            ...one,
            asks: false,
            output: one.output === 'allow' ? 'reject' : one.output,
          })),
        ),
        output: Array.from({ length: 4 }, (_, index) =>
          (plan.output[index] ?? ['rewrite']).map((action) =>
            action === 'allow' ? 'rewrite' : action,
          ),
        ),
      };
      const run = await watched(agentOf(cautious, []), 'Go.');
      const shown = shownOf(run);
      expect(shown).not.toMatch(/CANARY|SECRET/);
      if (run.result.status === 'completed') expect(run.text).toBe(run.result.response);
      expect(run.session.messages.map(textOf).join()).not.toContain('CANARY');
    }),
    { numRuns },
  );
});

/** A process died right behind the first event that fits: what another one finds. */
async function cutBehind(
  from: Store,
  runId: string,
  fits: (event: RunEvent) => boolean,
): Promise<Store> {
  const journal = await journalOf(from, runId);
  const [first, ...rest] = journal.slice(0, journal.findIndex(fits) + 1);
  const header = await from.runs.header(runId);
  if (header === undefined || first === undefined) throw new Error('No event fits.');
  const store = memoryStore();
  const made = await store.runs.create(header, first, { holder: 'gone', ttlMs: 60_000 });
  if (!made.created) throw new Error('It is there.');
  const { lease } = made;
  if (rest.length > 0) await store.runs.append(runId, rest, { expectedSeq: 1, token: lease.token });
  await store.runs.release(runId, lease);
  return store;
}

test('a refusal or a tripwire that was recorded counts in whatever process, and is not asked again', async () => {
  const plan: Plan = { input: [], modelTicks: 0, turns: [], output: [], called: false };
  const one = { input: 'allow', output: 'allow', asks: false } as const;
  const actions = ['reject', 'tripwire'] as const;
  const cases: Plan[] = [
    ...actions.flatMap((action) =>
      [true, false].map((blocking) => ({ ...plan, input: [{ action, blocking, ticks: 0 }] })),
    ),
    ...actions.map((action) => ({ ...plan, output: [[action], [action], [action]] })),
    ...actions.map((action) => ({ ...plan, turns: [[{ ...one, input: action }]] })),
    ...actions.map((action) => ({ ...plan, turns: [[{ ...one, output: action }]] })),
  ];
  for (const given of cases) {
    const whole = await inOneGo(given, {});
    const { runId } = whole.result;
    const objects = (event: RunEvent): boolean =>
      event.type === 'guardrail-result' &&
      (event.action === 'reject' || event.action === 'tripwire');
    const store = await cutBehind(whole.store, runId, objects);
    const asks: string[] = [];
    const result = await new Runner(agentOf(given, asks), { store }).resume(runId);
    const journal = await journalOf(store, runId);
    expect([result.status, result.error]).toEqual([whole.result.status, whole.result.error]);
    const { name } = whole.journal.find(objects) as { readonly name: string };
    // A result that was refused and not recorded is gone: the tool runs again, and is looked at again.
    const again = name === 'tool-out' && !tripped(journal) ? 1 : 0;
    const before = name === 'out0' ? whole.asks.length - 1 : again;
    expect(asks.filter((ask) => ask.startsWith(name))).toHaveLength(tripped(journal) ? 0 : before);
  }
});
