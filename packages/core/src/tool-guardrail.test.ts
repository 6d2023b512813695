import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { dyingStore, journalOf, reloaded, testClock } from '../test/engine.ts';
import {
  allow,
  facts,
  guardrail,
  reject,
  rewrite,
  shownOf,
  tripwire,
  watched,
  said,
} from '../test/guards.ts';
import { Agent } from './agent.ts';
import { UserError } from './errors.ts';
import type { RunEvent } from './events.ts';
import { memoryStore } from './memory-store.ts';
import { Runner } from './runner.ts';
import { eventually, gate, scriptedModel } from './testing/index.ts';
import { tool, type Tool, type ToolGuardrails, type ToolOptions } from './tool.ts';

const parameters = z.object({ to: z.string(), euros: z.number().default(1) });
type Input = z.infer<typeof parameters>;

/** A tool that notes what it was run with. */
function pay(
  guardrails: ToolGuardrails,
  more: Partial<ToolOptions<unknown, Input, unknown>> & {
    readonly runs?: Input[];
    readonly returns?: (input: Input) => unknown;
  } = {},
): Tool {
  const { runs = [], returns = ({ to }: Input) => `paid ${to}`, ...options } = more;
  return tool({
    name: 'pay',
    description: 'Pays',
    parameters,
    execute: async (input) => {
      runs.push(input);
      return returns(input);
    },
    guardrails,
    ...options,
  });
}

/** An agent that makes these calls, then says what it read of them. */
function caller(tools: readonly Tool[], calls: readonly (readonly [string, unknown])[]) {
  const model = scriptedModel(
    ({ messages }, turn) =>
      turn === 0 ? { calls } : `Read: ${JSON.stringify(messages.at(-1)?.parts)}`,
    { by: 'conversation' },
  );
  return new Agent({ name: 'bot', model, tools });
}

const decisions = (journal: readonly RunEvent[]) =>
  journal.filter((event) => event.type === 'guardrail-result');

describe('input', () => {
  test('allow: it is given the input as the model wrote it, after the validation', async () => {
    const fine = guardrail('fine', allow);
    const runs: Input[] = [];
    const agent = caller(
      [pay({ input: [fine] }, { runs })],
      [
        ['pay', { to: 'Ann' }],
        ['pay', { euros: 'many' }],
      ],
    );
    const { result, journal } = await watched(agent, 'Go.');
    expect(fine.checks).toMatchObject([{ value: { to: 'Ann' }, toolName: 'pay', agent: 'bot' }]);
    expect(runs).toEqual([{ to: 'Ann', euros: 1 }]);
    expect(result.toolResults.map(({ isError }) => isError)).toEqual([false, true]);
    expect(decisions(journal)).toMatchObject([
      { on: 'tool-input', callId: 'f0.t1.c1', name: 'fine', action: 'allow' },
    ]);
  });

  test('rewrite: the tool runs with the new input, and the next guardrail sees it', async () => {
    const ceiling = guardrail('ceiling', rewrite({ to: 'Ann', euros: 50 }));
    const after = guardrail('after', allow);
    const runs: Input[] = [];
    const agent = caller(
      [pay({ input: [ceiling, after] }, { runs })],
      [['pay', { to: 'Ann', euros: 900 }]],
    );
    const { result, journal } = await watched(agent, 'Go.');
    expect(after.asked).toEqual([{ to: 'Ann', euros: 50 }]);
    expect(runs).toEqual([{ to: 'Ann', euros: 50 }]);
    expect(journal.find(({ type }) => type === 'tool-start')).toMatchObject({
      input: { to: 'Ann', euros: 50 },
    });
    expect(result.toolResults).toMatchObject([{ arguments: { to: 'Ann', euros: 50 } }]);
  });

  test('a rewrite that does not fit the schema fails the run: it is nobody but the guardrail', async () => {
    const runs: Input[] = [];
    const agent = caller(
      [pay({ input: [guardrail('odd', rewrite({ to: 7 }))] }, { runs })],
      [['pay', { to: 'Ann' }]],
    );
    const { result, journal } = await watched(agent, 'Go.');
    expect(result.error).toMatchObject({ code: 'guardrail_error' });
    expect([runs, decisions(journal)]).toEqual([[], []]);
  });

  test('reject: it does not run, and the model reads why; the other calls go on', async () => {
    const no = guardrail('no', ({ value }) =>
      JSON.stringify(value).includes('Bob') ? reject('Not to Bob.') : allow,
    );
    const runs: Input[] = [];
    const agent = caller(
      [pay({ input: [no] }, { runs })],
      [
        ['pay', { to: 'Bob' }],
        ['pay', { to: 'Ann' }],
      ],
    );
    const { result, journal } = await watched(agent, 'Go.');
    expect(runs.map(({ to }) => to)).toEqual(['Ann']);
    expect(result.response).toContain('Not to Bob.');
    expect(result.toolResults).toMatchObject([
      { result: 'Not to Bob.', isError: true },
      { result: 'paid Ann', isError: false },
    ]);
    expect(journal.find(({ type }) => type === 'tool-result')).toMatchObject({ how: 'refused' });
  });

  test.each([
    ['tripwire', tripwire(), 'guardrail_tripwire'],
    ['a throw', () => Promise.reject(new Error('down')), 'guardrail_error'],
  ])('%s: nothing of that turn runs', async (_what, decide, code) => {
    const runs: Input[] = [];
    const free = pay({}, { runs, name: 'free' });
    const agent = caller(
      [free, pay({ input: [guardrail('wire', decide)] }, { runs })],
      [
        ['free', { to: 'Ann' }],
        ['pay', { to: 'Bob' }],
      ],
    );
    const { result, journal } = await watched(agent, 'Go.');
    expect(result.error?.code).toBe(code);
    expect(runs).toEqual([]);
    expect(journal.filter(({ type }) => type === 'tool-result')).toMatchObject([
      { how: 'not-run' },
      { how: 'not-run' },
    ]);
  });

  test('who approves sees the input as it will run, and a rejected call is not asked about', async () => {
    const check = guardrail('check', ({ value }) =>
      JSON.stringify(value).includes('Bob') ? reject('No.') : rewrite({ to: 'Ann', euros: 50 }),
    );
    const runs: Input[] = [];
    const agent = caller(
      [pay({ input: [check] }, { runs, needsApproval: true })],
      [
        ['pay', { to: 'Bob' }],
        ['pay', { to: 'Ann', euros: 900 }],
      ],
    );
    let store = memoryStore();
    const paused = await new Runner(agent, { store }).run('Go.');
    expect(paused.interruptions).toMatchObject([
      { callId: 'f0.t1.c2', input: { to: 'Ann', euros: 50 } },
    ]);
    store = await reloaded(store, paused.runId);
    const id = paused.interruptions[0]?.id ?? '';
    const result = await new Runner(agent, { store }).resume(paused.runId, [
      { interruptionId: id, approved: true },
    ]);
    expect(result.status).toBe('completed');
    expect(runs).toEqual([{ to: 'Ann', euros: 50 }]);
    expect(check.asked).toHaveLength(2);
    await journalOf(store, paused.runId);
  });

  test('needsApproval as a function is asked about the rewritten input', async () => {
    const seen: unknown[] = [];
    const agent = caller(
      [
        pay(
          { input: [guardrail('ceiling', rewrite({ to: 'Ann', euros: 50 }))] },
          {
            needsApproval: (input) => {
              seen.push(input);
              return false;
            },
          },
        ),
      ],
      [['pay', { to: 'Ann', euros: 900 }]],
    );
    expect((await watched(agent, 'Go.')).result.status).toBe('completed');
    expect(seen).toEqual([{ to: 'Ann', euros: 50 }]);
  });
});

describe('output', () => {
  test('allow, rewrite, reject: side by side, each for its own call', async () => {
    const check = guardrail('check', ({ value }) => {
      if (value === 'paid Bob') return reject('Not shown.');
      return value === 'paid Cid' ? rewrite('paid <name>') : allow;
    });
    const agent = caller(
      [pay({ output: [check] })],
      ['Ann', 'Bob', 'Cid'].map((to) => ['pay', { to }] as const),
    );
    const { result, journal } = await watched(agent, 'Go.');
    expect(result.toolResults.map((one) => [one.result, one.isError])).toEqual([
      ['paid Ann', false],
      ['Not shown.', true],
      ['paid <name>', false],
    ]);
    // What did not pass is nowhere: not in the journal, not with the model.
    expect(JSON.stringify([journal, facts(result)])).not.toMatch(/paid (Bob|Cid)/);
    expect(
      decisions(journal)
        .map(({ callId, action }) => `${callId} ${action}`)
        .toSorted(),
    ).toEqual(['f0.t1.c1 allow', 'f0.t1.c2 reject', 'f0.t1.c3 rewrite']);
  });

  test('it is given what the model would read: toModelOutput, errors', async () => {
    const check = guardrail('check', allow);
    const agent = caller(
      [
        pay({ output: [check] }, { toModelOutput: () => 'short' }),
        pay(
          { output: [check] },
          {
            name: 'fail',
            returns: () => {
              throw new Error('no money');
            },
          },
        ),
      ],
      [
        ['pay', { to: 'Ann' }],
        ['fail', { to: 'Ann' }],
      ],
    );
    await watched(agent, 'Go.');
    expect(check.asked.map(said).toSorted()).toEqual(['fail failed: no money', 'short']);
  });

  test.each([rewrite('clean'), reject('No.')])(
    'a tool that throws and ends the run (%o): its error did not pass either',
    async (decision) => {
      const agent = caller(
        [
          pay(
            { output: [guardrail('check', decision)] },
            {
              onError: 'throw',
              returns: () => {
                throw new Error('CANARY');
              },
            },
          ),
        ],
        [['pay', { to: 'Ann' }]],
      );
      const { result, journal } = await watched(agent, 'Go.');
      expect(result.error?.code).toBe('tool_error');
      expect(JSON.stringify([journal, facts(result)])).not.toContain('CANARY');
    },
  );

  test('a person edited the input: the note comes with what passed, and no guardrail reads it', async () => {
    const mask = guardrail('mask', rewrite('paid <name>'));
    const agent = caller(
      [pay({ output: [mask] }, { needsApproval: true })],
      [['pay', { to: 'Ann' }]],
    );
    const store = memoryStore();
    const runner = new Runner(agent, { store });
    const paused = await runner.run('Go.');
    const interruptionId = paused.interruptions[0]?.id ?? '';
    const result = await runner.resume(paused.runId, [
      { interruptionId, approved: true, input: { to: 'Bob' } },
    ]);
    expect(mask.asked).toEqual(['paid Bob']);
    expect(result.response).toContain('The input was edited');
    expect(result.response).toContain('paid <name>');
  });

  test('tripwire: the other tools of the turn are stopped and settled, and nothing goes on', async () => {
    const running = gate();
    let signal: AbortSignal | undefined;
    let later = 0;
    const wait = tool({
      name: 'wait',
      description: 'Waits',
      parameters: z.object({}),
      execute: async (_input, context) => {
        ({ signal } = context);
        await running.wait();
        return 'late';
      },
    });
    const wire = guardrail('wire', async () => {
      await running.reached;
      return tripwire('SECRET');
    });
    const count = tool({
      name: 'count',
      description: 'Counts',
      parameters: z.object({}),
      execute: () => (later += 1),
    });
    const agent = caller(
      [wait, pay({ output: [wire] }), count],
      [
        ['wait', {}],
        ['pay', { to: 'CANARY' }],
        ['count', {}],
      ],
    );
    const run = await watched(agent, 'Go.', { toolConcurrency: 2 });
    expect(run.result.error).toEqual({
      code: 'guardrail_tripwire',
      message: 'Guardrail wire stopped the run.',
    });
    expect([signal?.aborted, later]).toEqual([true, 0]);
    const results = run.journal.filter((event) => event.type === 'tool-result');
    expect(results.map(({ callId, how }) => `${callId} ${how}`).toSorted()).toEqual([
      'f0.t1.c1 unknown-outcome',
      'f0.t1.c2 ran',
      'f0.t1.c3 not-run',
    ]);
    expect(JSON.stringify(results)).not.toContain('paid CANARY');
    const { length } = run.journal;
    running.open();
    for (let turn = 0; turn < 10; turn += 1) await new Promise(setImmediate);
    expect(await journalOf(run.store, run.result.runId)).toHaveLength(length);
    expect(shownOf(run)).not.toContain('SECRET');
  });

  test('a tripwire counts though another tool ended the run first', async () => {
    const thrown = gate();
    const wire = guardrail('wire', async () => {
      await thrown.reached;
      return tripwire();
    });
    const agent = caller(
      [
        pay({ output: [wire] }),
        pay(
          {},
          {
            name: 'fail',
            onError: 'throw',
            returns: () => {
              void thrown.wait();
              throw new Error('first');
            },
          },
        ),
      ],
      [
        ['pay', { to: 'a' }],
        ['fail', { to: 'b' }],
      ],
    );
    expect((await watched(agent, 'Go.')).result.error?.code).toBe('guardrail_tripwire');
  });

  test('one that throws ends the run when the turn is settled; the result is not shown', async () => {
    const broken = guardrail('broken', () => Promise.reject(new Error('down')));
    const agent = caller(
      [pay({ output: [broken] }), pay({}, { name: 'other' })],
      [
        ['pay', { to: 'CANARY' }],
        ['other', { to: 'Ann' }],
      ],
    );
    const { result, journal } = await watched(agent, 'Go.');
    expect(result.error?.code).toBe('guardrail_error');
    expect(result.toolResults).toMatchObject([
      { result: 'pay ran; its result is not shown.', isError: true },
      { result: 'paid Ann' },
    ]);
    expect(JSON.stringify(journal)).not.toContain('paid CANARY');
  });

  test('in an agent that was called: reject is for its model, tripwire ends the run', async () => {
    for (const [decision, code] of [
      [reject('Hidden.'), undefined],
      [tripwire(), 'guardrail_tripwire'],
    ] as const) {
      const child = caller(
        [pay({ output: [guardrail('check', decision)] })],
        [['pay', { to: 'x' }]],
      );
      const desk = new Agent({
        name: 'desk',
        model: scriptedModel([
          { calls: [['child', { message: 'Go.' }]] },
          ({ messages }) => `It said ${JSON.stringify(messages.at(-1)?.parts)}`,
        ]),
        tools: [child.asTool({ toolName: 'child' })],
      });
      const { result } = await watched(desk, 'Go.');
      expect(result.error?.code).toBe(code);
      if (code === undefined) expect(result.response).toContain('Hidden.');
    }
  });
});

describe('what became of a call that was interrupted', () => {
  /** Runs until the tool works, kills the process there, and lets another finish. */
  async function interrupted(make: (life: number) => Tool) {
    const clock = testClock();
    const store = memoryStore({ now: clock.now });
    const crash = dyingStore(store, { write: 99, when: 'after' });
    const at = gate();
    const first = { ...make(1), execute: () => at.wait() };
    void new Runner(caller([first], [['pay', { to: 'Ann' }]]), { store: crash.store })
      .run('Go.')
      .catch(() => undefined);
    await at.reached;
    crash.kill();
    clock.pass(60_000);
    const [header] = (await store.runs.list({ limit: 1 })).runs;
    const runId = header?.runId ?? '';
    const runner = new Runner(caller([make(2)], [['pay', { to: 'Ann' }]]), { store });
    return { store, runner, runId, result: await runner.resume(runId) };
  }

  test('what reconcile found is looked at like a result', async () => {
    for (const [decision, read] of [
      [rewrite('paid <name>'), 'paid <name>'],
      [reject('Hidden.'), 'Hidden.'],
    ] as const) {
      const check = guardrail('check', decision);
      const { result, store, runId } = await interrupted(() =>
        pay(
          { output: [check] },
          { reconcile: async () => ({ done: true, output: 'paid CANARY' }) },
        ),
      );
      expect(check.asked).toEqual(['paid CANARY']);
      expect(result.response).toContain(read);
      expect(JSON.stringify(await journalOf(store, runId))).not.toContain('CANARY');
    }
    const { result } = await interrupted(() =>
      pay(
        { output: [guardrail('wire', tripwire())] },
        { reconcile: async () => ({ done: true, output: 'x' }) },
      ),
    );
    expect(result.error?.code).toBe('guardrail_tripwire');
  });

  test('so is what a person says came of it', async () => {
    const check = guardrail('check', rewrite('paid <name>'));
    const { result, runner, runId } = await interrupted(() =>
      pay({ output: [check] }, { onAmbiguous: 'ask' }),
    );
    const interruptionId = result.interruptions[0]?.id ?? '';
    const done = await runner.resume(runId, [
      { interruptionId, outcome: 'done', output: 'paid CANARY' },
    ]);
    expect(done.toolResults).toMatchObject([{ result: 'paid <name>' }]);
  });

  test('a tool that runs again is looked at again: another result, another decision', async () => {
    const seen: unknown[] = [];
    const check = (life: number) =>
      guardrail('first', ({ value }) => {
        seen.push(`${life} ${said(value)}`);
        return allow;
      });
    const slow = gate();
    // The first life decides once, records it, and dies while the second guardrail thinks.
    const clock = testClock();
    const store = memoryStore({ now: clock.now });
    const crash = dyingStore(store, { write: 99, when: 'after' });
    const agent = (life: number) =>
      caller(
        [
          pay(
            {
              output: [
                check(life),
                guardrail('second', async () => {
                  if (life === 1) await slow.wait();
                  return allow;
                }),
              ],
            },
            { effect: 'read', returns: () => `result ${life}` },
          ),
        ],
        [['pay', { to: 'Ann' }]],
      );
    void new Runner(agent(1), { store: crash.store }).run('Go.').catch(() => undefined);
    await slow.reached;
    const [header] = (await store.runs.list({ limit: 1 })).runs;
    const runId = header?.runId ?? '';
    await eventually(
      async () => decisions(await journalOf(store, runId)).length === 1,
      'the first decision is stored',
    );
    crash.kill();
    clock.pass(60_000);
    const result = await new Runner(agent(2), { store }).resume(runId);
    expect(result.toolResults).toMatchObject([{ result: 'result 2' }]);
    expect(seen).toEqual(['1 result 1', '2 result 2']);
    await journalOf(store, runId);
  });
});

test('cut at any write: a decision about an input is made once, and the tool runs with it', async () => {
  let cuts = 0;
  for (let ended = false; !ended; cuts += 1) {
    for (const when of ['before', 'after'] as const) {
      const asks: unknown[] = [];
      const runs: Input[] = [];
      const note = (name: string, to: (value: unknown) => ReturnType<typeof rewrite>) =>
        guardrail(name, ({ value }) => {
          asks.push(name);
          return to(value);
        });
      const agent = () =>
        caller(
          [
            pay(
              {
                input: [
                  note('one', () => rewrite({ to: 'b', euros: 2 })),
                  note('two', (value) => rewrite({ ...(value as Input), euros: 3 })),
                ],
              },
              { runs, effect: 'idempotent' },
            ),
          ],
          [['pay', { to: 'a' }]],
        );
      const clock = testClock();
      const store = memoryStore({ now: clock.now });
      const crash = dyingStore(store, { write: cuts + 1, when });
      const life = new Runner(agent(), { store: crash.store }).run('Go.');
      await Promise.race([life, crash.gone]);
      life.catch(() => undefined);
      const [header] = (await store.runs.list({ limit: 1 })).runs;
      if (header === undefined) continue;
      const { runId } = header;
      const recorded = await journalOf(store, runId);
      ended ||= when === 'before' && recorded.at(-1)?.type === 'run-end';
      asks.length = 0;
      clock.pass(60_000);
      const result = await new Runner(agent(), { store }).resume(runId);
      expect(result.status).toBe('completed');
      expect(asks).toEqual(['one', 'two'].slice(decisions(recorded).length));
      for (const input of runs) expect(input).toEqual({ to: 'b', euros: 3 });
      expect(decisions(await journalOf(store, runId))).toHaveLength(2);
    }
  }
  expect(cuts).toBeGreaterThan(4);
});

test('two guardrails of one name in a list are refused', () => {
  const one = guardrail('same', allow);
  expect(() => pay({ input: [one, one] })).toThrow(UserError);
  expect(() => pay({ output: [one, one] })).toThrow(/output guardrails named "same"/);
  const model = scriptedModel([]);
  expect(() => new Agent({ name: 'bot', model, inputGuardrails: [one, one] })).toThrow(UserError);
  expect(() => new Agent({ name: 'bot', model, outputGuardrails: [one, one] })).toThrow(UserError);
});
