import { expect, test } from 'vitest';
import { z } from 'zod';
import { dyingStore, journalOf, testClock, typesOf } from '../test/engine.ts';
import { Agent } from './agent.ts';
import type { AgentConfig } from './agent-definition.ts';
import { AgentError, ModelError } from './errors.ts';
import { isDurable, type RunEventOf } from './events.ts';
import { memoryStore } from './memory-store.ts';
import { Runner } from './runner.ts';
import {
  collect,
  eventually,
  gate,
  scriptedModel,
  type ScriptedCall,
  type ScriptedTurn,
} from './testing/index.ts';
import { content, tool, type Tool, type ToolContext, type ToolSource } from './tool.ts';

const parameters = z.object({});

/** Runs one turn with these calls, then an answer; says what was recorded and what the model read. */
async function called(
  tools: readonly Tool[],
  calls: readonly ScriptedCall[],
  config: Partial<AgentConfig<unknown, string>> = {},
) {
  const model = scriptedModel([{ calls }, 'Done.']);
  const store = memoryStore();
  const agent = new Agent({ name: 'bot', model, tools, ...config });
  const result = await new Runner(agent, { store }).run('Go');
  const journal = await journalOf(store, result.runId);
  const results = journal.filter((event) => event.type === 'tool-result');
  const read = model.requests[1]?.messages.at(-1)?.parts ?? [];
  return { result, journal, results, read, model };
}

function textOfResult(event: RunEventOf<'tool-result'> | undefined): unknown {
  return event?.output.type === 'json' ? event.output.value : event?.output.parts;
}

test('calls of one turn run side by side, at most so many at once, in call order', async () => {
  let running = 0;
  let most = 0;
  const order: number[] = [];
  const gates = [gate(), gate(), gate(), gate()];
  const work = tool({
    name: 'work',
    description: 'Works',
    parameters: z.object({ n: z.number() }),
    effect: 'read',
    execute: async ({ n }) => {
      running += 1;
      most = Math.max(most, running);
      order.push(n);
      await gates[n]?.wait();
      running -= 1;
      return n;
    },
  });
  const calls = [0, 1, 2, 3].map((n): ScriptedCall => ['work', { n }]);
  const ran = called([work], calls, { toolConcurrency: 2 });
  await gates[1]?.reached;
  gates[1]?.open();
  await gates[2]?.reached;
  gates[0]?.open();
  gates[3]?.open();
  gates[2]?.open();
  const { results, read } = await ran;
  expect(most).toBe(2);
  expect(order).toEqual([0, 1, 2, 3]);
  expect(results).toHaveLength(4);
  // The model reads results in the order of its calls, whenever they came.
  expect(read.map((part) => (part.type === 'tool-result' ? part.output : part))).toEqual(
    [0, 1, 2, 3].map((value) => ({ type: 'json', value })),
  );
});

test('the response and the starts of its calls are one append', async () => {
  const appends: string[][] = [];
  const memory = memoryStore();
  const store = {
    ...memory,
    runs: {
      ...memory.runs,
      append: (...args: Parameters<typeof memory.runs.append>) => {
        appends.push(typesOf(args[1]));
        return memory.runs.append(...args);
      },
    },
  };
  const look = tool({ name: 'look', description: 'Looks', parameters, execute: () => 1 });
  const model = scriptedModel([{ calls: [['look', {}]] }, 'Done.']);
  const { runId } = await new Runner(new Agent({ name: 'bot', model, tools: [look] }), {
    store,
  }).run('Go');
  expect(appends).toEqual([
    ['model-response', 'tool-start'],
    ['tool-result'],
    ['model-response', 'frame-end', 'run-end'],
  ]);
  await journalOf(memory, runId);
});

test('what a needsApproval function judges is recorded before it is asked', async () => {
  const memory = memoryStore();
  let recorded: string[] = [];
  const store = memory;
  const judge = tool({
    name: 'judge',
    description: 'Judges',
    parameters,
    needsApproval: async (_input, { runId }) => {
      recorded = typesOf(await collect(memory.runs.read(runId)));
      return false;
    },
    execute: () => 1,
  });
  const model = scriptedModel([{ calls: [['judge', {}]] }, 'Done.']);
  const agent = new Agent({ name: 'bot', model, tools: [judge] });
  const result = await new Runner(agent, { store }).run('Go');
  expect(recorded).toEqual(['run-start', 'model-response']);
  expect(result.status).toBe('completed');
  await journalOf(store, result.runId);
});

test('a check for approval that fails lets nothing run', async () => {
  let ran = 0;
  const check = tool({
    name: 'check',
    description: 'Checks',
    parameters,
    needsApproval: () => {
      throw new Error('no rules');
    },
    execute: () => (ran += 1),
  });
  const { results } = await called([check], [['check', {}]]);
  expect(ran).toBe(0);
  expect(results).toMatchObject([{ how: 'refused', isError: true }]);
});

test('arguments that do not fit and tools that are not there are results the model can read', async () => {
  const add = tool({
    name: 'add',
    description: 'Adds',
    parameters: z.object({ a: z.number() }),
    execute: ({ a }) => a,
  });
  const { results } = await called(
    [add],
    [['add', { a: 'one' }], { toolName: 'add', inputText: '{"a":' }, ['subtract', {}]],
  );
  expect(results.map(({ how, isError }) => `${how} ${isError}`)).toEqual([
    'invalid-input true',
    'invalid-input true',
    'refused true',
  ]);
  const [misfit, broken, missing] = results.map(textOfResult);
  expect(misfit).toContain('a: ');
  expect(broken).toContain('not valid JSON');
  expect(missing).toContain('Tools: add.');
});

test('a tool that takes too long: a once call is unknown, a read call is an error', async () => {
  const slow = (name: string, effect: 'once' | 'read') =>
    tool({
      name,
      description: name,
      parameters,
      effect,
      timeoutMs: 10,
      execute: () => gate().wait(),
    });
  const { results } = await called(
    [slow('pay', 'once'), slow('look', 'read')],
    [
      ['pay', {}],
      ['look', {}],
    ],
  );
  const byName = Object.fromEntries(results.map((one) => [one.toolName, one]));
  expect(byName['pay']).toMatchObject({ how: 'unknown-outcome', isError: true });
  expect(byName['look']).toMatchObject({ how: 'ran', isError: true });
  expect(textOfResult(byName['pay'])).toContain('10 ms');
});

test('an idempotent tool is tried again, under the same key', async () => {
  const keys: string[] = [];
  const flaky = tool({
    name: 'flaky',
    description: 'Flaky',
    parameters,
    effect: 'idempotent',
    retry: { maxRetries: 2 },
    execute: (_input, { idempotencyKey }) => {
      keys.push(idempotencyKey);
      if (keys.length < 3) throw new Error('not yet');
      return 'ok';
    },
  });
  const { results, result } = await called([flaky], [['flaky', {}]]);
  expect(results).toMatchObject([{ isError: false }]);
  expect(keys).toEqual([1, 2, 3].map(() => `${result.runId}/f0.t1.c1`));
});

test('onError: the model reads it, reads it in other words, or the run ends', async () => {
  const failing = (onError?: 'return' | 'throw' | (() => string)) =>
    tool({
      name: 'fail',
      description: 'Fails',
      parameters,
      effect: 'read',
      onError,
      execute: () => {
        throw new Error('out of paper');
      },
    });
  const read = await called([failing()], [['fail', {}]]);
  expect(textOfResult(read.results[0])).toBe('fail failed: out of paper');
  const worded = await called([failing(() => 'Ask the clerk.')], [['fail', {}]]);
  expect(textOfResult(worded.results[0])).toBe('Ask the clerk.');
  const badly = await called(
    [
      failing(() => {
        throw new Error('even worse');
      }),
    ],
    [['fail', {}]],
  );
  expect(textOfResult(badly.results[0])).toContain('even worse');
  const thrown = await called([failing('throw')], [['fail', {}]]);
  expect(thrown.result).toMatchObject({ status: 'failed', error: { code: 'tool_error' } });
  expect(thrown.results).toHaveLength(1);
});

test('one call that ends the run lets the others settle first', async () => {
  const boom = tool({
    name: 'boom',
    description: 'Ends it',
    parameters,
    onError: 'throw',
    execute: () => {
      throw new Error('boom');
    },
  });
  const late = gate();
  const slow = tool({
    name: 'slow',
    description: 'Slow',
    parameters,
    execute: async () => {
      await late.wait();
      return 'paid';
    },
  });
  const ran = called(
    [boom, slow],
    [
      ['boom', {}],
      ['slow', {}],
    ],
  );
  await late.reached;
  late.open();
  const { result, results } = await ran;
  expect(result.status).toBe('failed');
  expect(results.map(({ toolName, how }) => `${toolName} ${how}`)).toEqual([
    'boom ran',
    'slow ran',
  ]);
});

test('what does not fit the outputSchema is an error result', async () => {
  const lies = tool({
    name: 'lies',
    description: 'Lies',
    parameters,
    outputSchema: z.object({ n: z.number() }),
    execute: () => JSON.parse('{"n":"x"}'),
  });
  const { results } = await called([lies], [['lies', {}]]);
  expect(results).toMatchObject([{ isError: true }]);
  expect(textOfResult(results[0])).toContain('outputSchema');
});

test('a generator shows its yields as progress; its return value is the result', async () => {
  const steps = tool({
    name: 'steps',
    description: 'Steps',
    parameters,
    async *execute() {
      yield { done: 1 };
      yield { done: 2 };
      return 'all';
    },
  });
  const model = scriptedModel([{ calls: [['steps', {}]] }, 'Done.']);
  const stream = new Runner(new Agent({ name: 'bot', model, tools: [steps] })).stream('Go');
  const events = await collect(stream);
  const progress = events.flatMap((event) => (event.type === 'tool-progress' ? [event] : []));
  expect(progress.map(({ callId, data }) => ({ callId, data }))).toEqual([
    { callId: 'f0.t1.c1', data: { done: 1 } },
    { callId: 'f0.t1.c1', data: { done: 2 } },
  ]);
  expect((await stream.result).toolResults).toMatchObject([{ result: 'all' }]);
});

test.each([
  ['a bigint', () => 10n],
  [
    'a cycle',
    () => {
      const loop: { self?: unknown } = {};
      loop.self = loop;
      return loop;
    },
  ],
])('%s is an error result', async (_what, execute: () => unknown) => {
  const odd = tool({ name: 'odd', description: 'Odd', parameters, execute });
  const { results, result } = await called([odd], [['odd', {}]]);
  expect(results).toMatchObject([{ isError: true, how: 'ran' }]);
  expect(result.status).toBe('completed');
});

test('a result that is no JSON does not run an idempotent tool again', async () => {
  let ran = 0;
  const odd = tool({
    name: 'odd',
    description: 'Odd',
    parameters,
    effect: 'idempotent',
    retry: { maxRetries: 3 },
    execute: () => {
      ran += 1;
      return 10n;
    },
  });
  const { results } = await called([odd], [['odd', {}]]);
  expect(results).toMatchObject([{ isError: true }]);
  expect(ran).toBe(1);
});

test('nothing returned is null; dates and maps are what JSON makes of them', async () => {
  const nothing = tool({ name: 'nothing', description: '', parameters, execute: () => undefined });
  const { results } = await called([nothing], [['nothing', {}]]);
  expect(results).toMatchObject([{ output: { type: 'json', value: null }, isError: false }]);
});

test('results have a limit in size, and so has what the model reads of them', async () => {
  const big = tool({
    name: 'big',
    description: 'Big',
    parameters,
    execute: () => 'x'.repeat(2_000),
  });
  const shown = tool({
    name: 'shown',
    description: 'Shows more than it returns',
    parameters,
    execute: () => 'short',
    toModelOutput: () => 'x'.repeat(2_000),
  });
  const { results, read } = await called(
    [big, shown],
    [
      ['big', {}],
      ['shown', {}],
    ],
    { maxToolResultBytes: 1_000 },
  );
  expect(results.map(({ isError }) => isError)).toEqual([true, true]);
  expect(JSON.stringify(read).length).toBeLessThan(1_500);
});

test('a tool that ends the run ends it however long its error is', async () => {
  const boom = tool({
    name: 'boom',
    description: 'Ends it',
    parameters,
    onError: 'throw',
    execute: () => {
      throw new Error('x'.repeat(5_000));
    },
  });
  const { result } = await called([boom], [['boom', {}]], { maxToolResultBytes: 1_000 });
  expect(result.status).toBe('failed');
});

test('toModelOutput changes what the model reads, not what is recorded; content() gives parts', async () => {
  const row = tool({
    name: 'row',
    description: 'A row',
    parameters,
    execute: () => ({ id: 7, secret: 'long' }),
    toModelOutput: ({ id }) => `row ${id}`,
  });
  const image = tool({
    name: 'image',
    description: 'An image',
    parameters,
    execute: () => content([{ type: 'file', mediaType: 'image/png', data: 'AAAA' }]),
  });
  const { read, results, result } = await called(
    [row, image],
    [
      ['row', {}],
      ['image', {}],
    ],
  );
  expect(read).toMatchObject([
    { output: { type: 'json', value: 'row 7' } },
    { output: { type: 'content', parts: [{ type: 'file', mediaType: 'image/png' }] } },
  ]);
  expect(results[0]?.output).toEqual({ type: 'json', value: { id: 7, secret: 'long' } });
  expect(result.toolResults[0]?.result).toEqual({ id: 7, secret: 'long' });
});

test('a tool that is not enabled is not offered, and is refused when called', async () => {
  let open = true;
  const sometimes = tool({
    name: 'sometimes',
    description: 'Sometimes',
    parameters,
    isEnabled: async () => open,
    execute: () => {
      open = false;
      return 1;
    },
  });
  const model = scriptedModel([
    { calls: [['sometimes', {}]] },
    { calls: [['sometimes', {}]] },
    'Ok.',
  ]);
  const store = memoryStore();
  const agent = new Agent({ name: 'bot', model, tools: [sometimes] });
  const result = await new Runner(agent, { store }).run('Go');
  expect(model.requests.map(({ tools }) => tools.length)).toEqual([1, 0, 0]);
  expect(result.toolResults.map(({ isError }) => isError)).toEqual([false, true]);
  await journalOf(store, result.runId);
});

test('a tool source that is down costs its tools and one warning; a required one fails the run', async () => {
  const down: ToolSource = {
    name: 'files',
    listTools: async () => {
      throw new Error('connection refused');
    },
  };
  const own = tool({ name: 'own', description: 'Own', parameters, execute: () => 1 });
  const { result, journal } = await called([own], [['own', {}]], { mcpServers: [down] });
  expect(result.status).toBe('completed');
  const warnings = journal.filter(({ type }) => type === 'warning');
  expect(warnings).toMatchObject([{ code: 'tool-source-unavailable' }]);
  expect(JSON.stringify(warnings)).toContain('files');

  const needed = await called([own], [], { mcpServers: [{ ...down, required: true }] });
  expect(needed.result.status).toBe('failed');
});

test('sources are listed side by side, and warn of what does not cost all their tools', async () => {
  let open = (): void => undefined;
  const both = new Promise<void>((resolve) => (open = resolve));
  const remote = tool({
    name: 'far',
    description: 'Far',
    parameters,
    execute: (_input, { warn }) => {
      warn('far-odd', 'Something was odd.');
      warn('far-odd', 'Something was odd.');
      return 1;
    },
  });
  const first: ToolSource = { name: 'first', listTools: () => both.then(() => []) };
  const second: ToolSource = {
    name: 'second',
    listTools: async ({ warn }) => {
      open(); // The first answers once the second is asked.
      warn?.('second-odd', 'One tool is left out.');
      return [remote];
    },
  };
  const { journal } = await called([], [['far', {}]], { mcpServers: [first, second] });
  const warnings = journal.filter(({ type }) => type === 'warning');
  expect(warnings).toMatchObject([
    { code: 'second-odd', message: 'One tool is left out.' },
    { code: 'far-odd', message: 'Something was odd.' },
  ]);
});

test('a call that lost its connection is unknown if it may not be repeated, else failed', async () => {
  const lost = (name: string, effect: 'once' | 'read') =>
    tool({
      name,
      description: 'Lost',
      parameters,
      effect,
      execute: () => {
        throw new AgentError('outcome_unknown', 'The connection was lost.');
      },
    });
  const { journal } = await called(
    [lost('write', 'once'), lost('look', 'read')],
    [
      ['write', {}],
      ['look', {}],
    ],
  );
  const results = journal.filter((event) => event.type === 'tool-result');
  expect(results.map(({ how }) => how).toSorted()).toEqual(['ran', 'unknown-outcome']);
  expect(JSON.stringify(results)).toContain('The connection was lost. Nobody knows');
});

test('a runner closes the sources of all agents that it knows', async () => {
  const closed: string[] = [];
  const source = (name: string): ToolSource => ({
    name,
    listTools: async () => [],
    close: async () => void closed.push(name),
  });
  const model = scriptedModel([]);
  const shared = source('shared');
  const other = new Agent({ name: 'other', model, mcpServers: [shared, source('own')] });
  const agent = new Agent({ name: 'agent', model, mcpServers: [shared], handoffs: [other] });
  await new Runner(agent).closeToolSources();
  expect(closed.toSorted()).toEqual(['own', 'shared']);
});

test('the tools of a source are called like others; a name that is taken gets the name of the source', async () => {
  const remote = tool({ name: 'own', description: 'Remote', parameters, execute: () => 'remote' });
  const own = tool({ name: 'own', description: 'Own', parameters, execute: () => 'own' });
  const source: ToolSource = { name: 'far', listTools: async () => [remote] };
  const alone = await called([], [['own', {}]], { mcpServers: [source] });
  expect(alone.result.toolResults).toMatchObject([{ result: 'remote' }]);
  const both = await called([own], [['own', {}]], { mcpServers: [source] });
  expect(both.result.toolResults).toMatchObject([{ result: 'own' }]);
  expect(both.model.requests[0]?.tools.map(({ name }) => name)).toEqual(['own', 'far_own']);
  const other = await called([own], [['far_own', {}]], { mcpServers: [source] });
  expect(other.result.toolResults).toMatchObject([{ result: 'remote' }]);
});

// A call that was under way when its process died (journal.md, Tools and repeats).

/** Runs until the tool is under way, lets the process die there, and goes on in another. */
async function interrupted(
  made: Tool & { readonly under: ReturnType<typeof gate> },
  answers: readonly ScriptedTurn[] = ['Done.'],
) {
  const clock = testClock();
  const store = memoryStore({ now: clock.now });
  const turns = [{ calls: [[made.name, {}]] } satisfies ScriptedTurn, ...answers];
  const model = () => scriptedModel(turns, { by: 'conversation' });
  const agent = () => new Agent({ name: 'bot', model: model(), tools: [made] });
  const process = dyingStore(store, { write: 99, when: 'after' });
  const runner = new Runner(agent(), { store: process.store });
  void runner.run('Go').catch(() => undefined);
  await made.under.reached;
  const [header] = (await store.runs.list({ limit: 1 })).runs;
  process.kill();
  clock.pass(60_000);
  const second = new Runner(agent(), { store });
  const result = await second.resume(header?.runId ?? '');
  return { result, second, store, journal: await journalOf(store, result.runId) };
}

/** A tool whose first call never returns; the next ones answer which it was. */
function hangingTool(
  options: Partial<Parameters<typeof tool<Record<string, never>, unknown>>[0]>,
  onCall?: (context: ToolContext) => Promise<void>,
) {
  const under = gate();
  const runs: ToolContext[] = [];
  const made = tool({
    name: 'act',
    description: 'Acts',
    parameters,
    ...options,
    execute: async (_input, context) => {
      runs.push(context);
      await onCall?.(context);
      if (runs.length === 1) await under.wait();
      return `run ${runs.length}`;
    },
  });
  return { ...made, under, runs };
}

test('read and idempotent calls run again, the latter with the same key', async () => {
  for (const effect of ['read', 'idempotent'] as const) {
    const act = hangingTool({ effect });
    const { result } = await interrupted(act);
    expect(result.toolResults).toMatchObject([{ result: 'run 2', isError: false }]);
    const keys = new Set(act.runs.map(({ idempotencyKey }) => idempotencyKey));
    expect(keys.size).toBe(1);
  }
});

test('a checkpoint is found again by the call that goes on', async () => {
  const act = hangingTool({ effect: 'idempotent' }, async ({ checkpoint, lastCheckpoint }) => {
    await checkpoint({ page: lastCheckpoint === undefined ? 1 : 2 });
  });
  const { journal } = await interrupted(act);
  expect(act.runs.map(({ lastCheckpoint }) => lastCheckpoint)).toEqual([undefined, { page: 1 }]);
  expect(typesOf(journal).filter((type) => type === 'tool-checkpoint')).toHaveLength(2);
});

test('a once call is reported as unknown, and not repeated', async () => {
  const act = hangingTool({ effect: 'once' });
  const { result, journal } = await interrupted(act);
  expect(act.runs).toHaveLength(1);
  expect(result.toolResults).toMatchObject([{ isError: true }]);
  expect(journal.find(({ type }) => type === 'tool-result')).toMatchObject({
    how: 'unknown-outcome',
  });
});

test('reconcile: done settles it, not done runs it once more, a throw counts as no answer', async () => {
  const done = hangingTool({ reconcile: async () => ({ done: true, output: 'it was paid' }) });
  const found = await interrupted(done);
  expect(done.runs).toHaveLength(1);
  expect(found.result.toolResults).toMatchObject([{ result: 'it was paid', isError: false }]);
  expect(found.journal.find(({ type }) => type === 'tool-result')).toMatchObject({
    how: 'reconciled',
  });

  const notDone = hangingTool({ reconcile: async () => ({ done: false }) });
  const again = await interrupted(notDone);
  expect(notDone.runs).toHaveLength(2);
  expect(new Set(notDone.runs.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1);
  expect(again.result.toolResults).toMatchObject([{ result: 'run 2' }]);
  const starts = again.journal.filter((event) => event.type === 'tool-start');
  expect(starts.map(({ reconciled }) => reconciled)).toEqual([undefined, true]);

  const silent = hangingTool({
    reconcile: async () => {
      throw new Error('nobody there');
    },
  });
  const unknown = await interrupted(silent);
  expect(silent.runs).toHaveLength(1);
  expect(unknown.result.toolResults).toMatchObject([{ isError: true }]);
});

test("onAmbiguous 'ask': it happened, run it again, it failed", async () => {
  const answers = [
    [{ outcome: 'done', output: { receipt: 1 } }, 1, { result: { receipt: 1 }, isError: false }],
    [{ outcome: 'not-done' }, 2, { result: 'run 2', isError: false }],
    [
      { outcome: 'failed', message: 'Card refused.' },
      1,
      { result: 'Card refused.', isError: true },
    ],
  ] as const;
  for (const [answer, runs, expected] of answers) {
    const act = hangingTool({ onAmbiguous: 'ask' });
    const { result, second, store } = await interrupted(act);
    expect(result.status).toBe('interrupted');
    const [asked] = result.interruptions;
    expect(asked).toMatchObject({ kind: 'ambiguous', toolName: 'act' });
    const interruptionId = asked?.id ?? '';
    await expect(
      second.resume(result.runId, [{ interruptionId, approved: true }]),
    ).rejects.toMatchObject({ code: 'approval_invalid' });
    const end = await second.resume(result.runId, [{ interruptionId, ...answer }]);
    expect(end.status).toBe('completed');
    expect(act.runs).toHaveLength(runs);
    expect(end.toolResults).toMatchObject([expected]);
    await journalOf(store, end.runId);
  }
});

test('a tool that is gone when its call is taken up is an error result', async () => {
  const clock = testClock();
  const store = memoryStore({ now: clock.now });
  const act = hangingTool({ effect: 'read' });
  const model = () => scriptedModel([{ calls: [['act', {}]] }, 'Done.'], { by: 'conversation' });
  const process = dyingStore(store, { write: 99, when: 'after' });
  const first = new Runner(new Agent({ name: 'bot', model: model(), tools: [act] }), {
    store: process.store,
  });
  void first.run('Go').catch(() => undefined);
  await act.under.reached;
  process.kill();
  clock.pass(60_000);
  const [header] = (await store.runs.list({ limit: 1 })).runs;
  const runner = new Runner(new Agent({ name: 'bot', model: model() }), { store });
  const result = await runner.resume(header?.runId ?? '');
  expect(result.status).toBe('completed');
  expect(result.toolResults).toMatchObject([{ isError: true }]);
  await journalOf(store, result.runId);
});

test('an agent that is gone ends the run with its code; under an alias it goes on', async () => {
  for (const [aliases, expected] of [
    [[], { status: 'failed', error: { code: 'agent_gone' } }],
    [['bot'], { status: 'completed' }],
  ] as const) {
    const store = memoryStore();
    const { runId } = await new Runner(new Agent({ name: 'bot', model: scriptedModel([]) }), {
      store,
    }).start('Go');
    const other = new Agent({ name: 'robot', aliases, model: scriptedModel(['Hi.']) });
    expect(await new Runner(other, { store }).resume(runId)).toMatchObject(expected);
    await journalOf(store, runId);
  }
});

test('a checkpoint that comes after the result is refused and changes nothing', async () => {
  let late: Promise<unknown> | undefined;
  const hasty = tool({
    name: 'hasty',
    description: 'Returns before its work is over',
    parameters,
    execute: (_input, { checkpoint }) => {
      late = new Promise((resolve) => setTimeout(resolve, 20))
        .then(() => checkpoint({ page: 2 }))
        .catch((error: unknown) => error);
      return 'done';
    },
  });
  const { journal, result } = await called([hasty], [['hasty', {}]]);
  expect(await late).toBeInstanceOf(Error);
  expect(typesOf(journal)).not.toContain('tool-checkpoint');
  expect(result.status).toBe('completed');
});

test('a transient failure of the model re-asks the same turn and nothing before it', async () => {
  let ran = 0;
  const pay = tool({ name: 'pay', description: 'Pays', parameters, execute: () => (ran += 1) });
  const model = scriptedModel([
    { calls: [['pay', {}]] },
    new ModelError('busy', { reason: 'overloaded' }),
    { text: 'Half', error: new ModelError('cut', { reason: 'network' }) },
    'Paid.',
  ]);
  const store = memoryStore();
  const modelSettings = { retry: { initialDelayMs: 0 } };
  const agent = new Agent({ name: 'bot', model, tools: [pay], modelSettings });
  const result = await new Runner(agent, { store }).run('Go');
  expect(ran).toBe(1);
  expect(result.response).toBe('Paid.');
  const journal = await journalOf(store, result.runId);
  const responses = journal.filter((event) => event.type === 'model-response');
  expect(responses.map(({ attempts }) => attempts.map(({ reason }) => reason))).toEqual([
    [],
    ['overloaded', 'network'],
  ]);
});

test('a run whose store fails for good rejects; nothing after the failure is shown or started', async () => {
  let ran = 0;
  const pay = tool({ name: 'pay', description: 'Pays', parameters, execute: () => (ran += 1) });
  const memory = memoryStore();
  const broken = {
    ...memory,
    runs: {
      ...memory.runs,
      append: async () => {
        throw new Error('disk full');
      },
    },
  };
  const model = scriptedModel([{ calls: [['pay', {}]] }, 'Paid.']);
  const runner = new Runner(new Agent({ name: 'bot', model, tools: [pay] }), { store: broken });
  const stream = runner.stream('Go');
  const seen: string[] = [];
  const read = (async () => {
    for await (const event of stream) if (isDurable(event)) seen.push(event.type);
  })();
  await expect(read).rejects.toThrow('disk full');
  await expect(stream.result).rejects.toThrow('disk full');
  expect(ran).toBe(0);
  expect(seen).toEqual(['run-start']);
  await eventually(() => model.running === 0, 'the model is left');
});

test('what a person or a tool cut inside a character reaches no model', async () => {
  const cut = '😀'.slice(0, 1);
  const tools = [
    tool({ name: 'a', description: 'A', parameters: z.object({}), execute: () => cut }),
    tool({
      name: 'b',
      description: 'B',
      parameters: z.object({}),
      execute: () => content([{ type: 'text', text: cut }]),
    }),
    tool({
      name: 'c',
      description: 'C',
      parameters: z.object({}),
      execute: () => 1,
      toModelOutput: () => cut,
    }),
  ];
  const model = scriptedModel([
    {
      calls: [
        ['a', {}],
        ['b', {}],
        ['c', {}],
      ],
    },
    'Done.',
  ]);
  const result = await new Runner(new Agent({ name: 'bot', model, tools })).run(`Hi ${cut}`);
  expect(result.status).toBe('completed');
  const seen = JSON.stringify(model.requests.at(-1)?.messages);
  expect(seen).not.toMatch(/\\ud83d/i);
  expect(seen.match(/\uFFFD/g)).toHaveLength(4);
});
