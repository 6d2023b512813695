import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { watched } from '../test/guards.ts';
import { Agent, withContext } from './agent.ts';
import { ModelError } from './errors.ts';
import { withMiddleware, type Middleware } from './middleware.ts';
import { textOf } from './message.ts';
import type { ModelRequest, ModelResponse, ModelStreamEvent } from './model.ts';
import { ReflectionAgent } from './reflection-agent.ts';
import { run } from './run.ts';
import { Runner } from './runner.ts';
import { collect, gate, scriptedModel } from './testing/index.ts';
import { tool } from './tool.ts';

const usage = { inputTokens: 1, outputTokens: 1, totalTokens: 2 };
const saying = (text: string): ModelResponse => ({
  parts: [{ type: 'text', text }],
  usage,
  finishReason: 'stop',
});

/** Notes in `log` when a call goes in and comes back. */
function noting(name: string, log: string[]): Middleware {
  return {
    name,
    async *wrapModelCall(request, _context, next) {
      log.push(`${name} in`);
      yield* next(request);
      log.push(`${name} out`);
    },
    async wrapToolCall(call, _context, next) {
      log.push(`${name} ${call.tool.name} in`);
      const result = await next(call.input);
      log.push(`${name} ${call.tool.name} out`);
      return result;
    },
  };
}

const echo = tool({
  name: 'echo',
  description: 'Echoes',
  parameters: z.object({ text: z.string() }),
  execute: ({ text }) => text,
});

describe('order', () => {
  test("the runner's, the run's, the agent's; the first of a list is the outermost", async () => {
    const log: string[] = [];
    const model = scriptedModel([{ calls: [['echo', { text: 'x' }]] }, 'Done.']);
    const names = (...all: string[]) => all.map((name) => noting(name, log));
    const agent = new Agent({ name: 'bot', model, tools: [echo], middleware: names('a1', 'a2') });
    const runner = new Runner(agent, { middleware: names('r1', 'r2') });
    const result = await runner.run('Hi.', { middleware: names('o1') });
    expect(result.response).toBe('Done.');
    const all = ['r1', 'r2', 'o1', 'a1', 'a2'];
    const around = (what: string) => [
      ...all.map((name) => `${name}${what} in`),
      ...all.toReversed().map((name) => `${name}${what} out`),
    ];
    expect(log).toEqual([...around(''), ...around(' echo'), ...around('')]);
  });

  test("each agent has its own; the runner's and the run's are around all, routing and judging included", async () => {
    const seen: string[] = [];
    const tell = (name: string): Middleware => ({
      name,
      wrapModelCall: (request, { agentPath }, next) => {
        seen.push(`${name} ${agentPath.join('/')} ${request.output?.name ?? 'turn'}`);
        return next(request);
      },
    });
    const bills = new ReflectionAgent({
      name: 'bills',
      model: scriptedModel(['Paid.']),
      evaluationModel: scriptedModel([{ json: { scores: { quality: 1 }, feedback: '' } }]),
      criteria: ['quality'],
      middleware: [tell('own')],
    });
    const desk = new Agent({
      name: 'desk',
      model: scriptedModel([{ json: { agent: 'bills', reason: 'money' } }]),
      handoffConfig: { mode: 'conditional', strategy: 'best_match', targets: [{ agent: bills }] },
    });
    const runner = new Runner(desk, { middleware: [tell('all')] });
    const result = await runner.run('Pay.', { middleware: [tell('run')] });
    expect(result.response).toBe('Paid.');
    expect(seen).toEqual([
      'all desk choice',
      'run desk choice',
      'all desk/bills turn',
      'run desk/bills turn',
      'own desk/bills turn',
      'all desk/bills judgement',
      'run desk/bills judgement',
      'own desk/bills judgement',
    ]);
  });

  test("a called agent's calls go through its own and the runner's, not its caller's", async () => {
    const log: string[] = [];
    const child = new Agent({
      name: 'child',
      model: scriptedModel([{ calls: [['echo', { text: 'x' }]] }, 'Done.']),
      tools: [echo],
      middleware: [noting('child', log)],
    });
    const desk = new Agent({
      name: 'desk',
      model: scriptedModel([{ calls: [['child', { message: 'Go.' }]] }, 'So.']),
      tools: [child.asTool({ toolName: 'child' })],
      middleware: [noting('desk', log)],
    });
    await new Runner(desk).run('Hi.');
    expect(log.filter((line) => line.endsWith(' in'))).toEqual([
      'desk in',
      'child in',
      'child echo in',
      'child in',
      'desk in',
    ]);
  });
});

describe('around a model call', () => {
  const around = (wrapModelCall: NonNullable<Middleware['wrapModelCall']>) => [
    { name: 'mine', wrapModelCall },
  ];

  test('it may change the request and what comes back', async () => {
    const model = scriptedModel(({ instructions = '' }) => `I was told: ${instructions}`);
    const loud = around(async function* (request, _context, next) {
      const asked: ModelRequest = { ...request, instructions: 'Be loud.' };
      for await (const event of next(asked)) {
        if (event.type === 'text-delta') yield { ...event, delta: event.delta.toUpperCase() };
        else if (event.type === 'response')
          yield { type: 'response', response: upper(event.response) };
        else yield event;
      }
    });
    const agent = new Agent({ name: 'bot', instructions: 'Be calm.', model, middleware: loud });
    const { result, text, session } = await watched(agent, 'Hi.');
    expect([result.response, text]).toEqual(['I WAS TOLD: BE LOUD.', 'I WAS TOLD: BE LOUD.']);
    expect(session.messages.map(textOf)).toEqual(['Hi.', 'I WAS TOLD: BE LOUD.']);
  });

  test('it may answer without asking', async () => {
    const model = scriptedModel([]);
    const cached = around(async function* () {
      yield { type: 'text-delta', delta: 'From the ' } satisfies ModelStreamEvent;
      yield { type: 'response', response: saying('From the cache.') } satisfies ModelStreamEvent;
    });
    const agent = new Agent({ name: 'bot', model, middleware: cached });
    const { result, text } = await watched(agent, 'Hi.');
    expect([result.response, text, model.calls]).toEqual(['From the cache.', 'From the cache.', 0]);
    expect(result.usage.totalTokens).toBe(2);
  });

  test('it may ask twice; only what it yields counts', async () => {
    const model = scriptedModel(['first', 'second']);
    const twice = around(async function* (request, _context, next) {
      await collect(next(request));
      yield* next(request);
    });
    const agent = new Agent({ name: 'bot', model, middleware: twice });
    const { result, text } = await watched(agent, 'Hi.');
    expect([result.response, text, model.calls]).toEqual(['second', 'second', 2]);
  });

  test('the retries of a model are inside: what they void is seen', async () => {
    const model = scriptedModel([new ModelError('Away.', { reason: 'network' }), 'Here.']);
    const seen: string[] = [];
    const log = around(async function* (request, _context, next) {
      for await (const event of next(request)) {
        seen.push(event.type);
        yield event;
      }
    });
    const agent = new Agent({
      name: 'bot',
      model,
      modelSettings: { retry: { initialDelayMs: 0 } },
      middleware: log,
    });
    const { result, journal } = await watched(agent, 'Hi.');
    expect(result.response).toBe('Here.');
    expect(seen).toEqual(['restart', 'text-delta', 'response']);
    expect(journal.find(({ type }) => type === 'model-response')).toMatchObject({
      attempts: [{ reason: 'network' }],
    });
  });

  test.each([
    [
      'throws before it asks',
      () => {
        throw new Error('no budget');
      },
      { code: 'internal', message: 'no budget' },
    ],
    [
      'throws while it streams',
      async function* (request, _context, next) {
        for await (const event of next(request)) {
          yield event;
          throw new Error('no budget');
        }
      },
      { code: 'internal', message: 'no budget' },
    ],
    [
      'refuses with an error of the library',
      () => {
        throw new ModelError('Too much today.', { reason: 'quota' });
      },
      { code: 'model_error', reason: 'quota' },
    ],
    [
      'throws when the answer is there',
      async function* (request, _context, next) {
        yield* next(request);
        throw new Error('no budget');
      },
      { code: 'internal', message: 'no budget' },
    ],
    // oxlint-disable-next-line require-yield
    ['yields nothing', async function* () {}, { code: 'model_error', reason: 'invalid-response' }],
  ] satisfies [string, NonNullable<Middleware['wrapModelCall']>, object][])(
    'one that %s fails the run',
    async (_what, wrapModelCall, error) => {
      const agent = new Agent({
        name: 'bot',
        model: scriptedModel(['Answer.']),
        middleware: around(wrapModelCall),
      });
      const { result } = await watched(agent, 'Hi.');
      expect(result).toMatchObject({ status: 'failed', error });
    },
  );

  test('a cancel reaches the model, and a middleware that waits holds nothing up', async () => {
    const waiting = gate();
    const speaking = gate();
    const model = scriptedModel([{ text: 'x', beforeResponse: speaking }]);
    const passing = around((request, _context, next) => next(request));
    const stuck = around(async function* (request, { signal }, next) {
      signal.addEventListener('abort', () => log.push('told'));
      await waiting.wait();
      yield* next(request);
    });
    const log: string[] = [];
    for (const [middleware, at] of [
      [passing, speaking],
      [stuck, waiting],
    ] as const) {
      const abort = new AbortController();
      const agent = new Agent({ name: 'bot', model, middleware });
      const running = watched(agent, 'Hi.', { signal: abort.signal });
      await at.reached;
      abort.abort();
      expect((await running).result.status).toBe('cancelled');
      expect(model.running).toBe(0);
    }
    expect(log).toEqual(['told']);
  });

  test('without any the model is the same object: it costs nothing', () => {
    const model = scriptedModel([]);
    const context = () => {
      throw new Error('not asked for');
    };
    expect(withMiddleware(model, [], context)).toBe(model);
    const tools = { name: 'tools', wrapToolCall: async () => 1 };
    expect(withMiddleware(model, [tools], context)).toBe(model);
  });
});

function upper(response: ModelResponse): ModelResponse {
  return {
    ...response,
    parts: response.parts.map((part) =>
      part.type === 'text' ? { ...part, text: part.text.toUpperCase() } : part,
    ),
  };
}

describe('around a tool call', () => {
  const around = (wrapToolCall: NonNullable<Middleware['wrapToolCall']>) => [
    { name: 'mine', wrapToolCall },
  ];
  const model = () =>
    scriptedModel(
      ({ messages }, turn) =>
        turn === 0
          ? { calls: [['echo', { text: 'hello' }]] }
          : `Read: ${JSON.stringify(messages.at(-1)?.parts)}`,
      { by: 'conversation' },
    );

  test('it may change the input and the result; the journal has what it made', async () => {
    const change = around(async ({ tool: { name }, input }, { callId }, next) => {
      const result = await next({ text: `${JSON.stringify(input)} for ${name}` });
      return { result, callId };
    });
    const agent = new Agent({ name: 'bot', model: model(), tools: [echo], middleware: change });
    const { result } = await watched(agent, 'Hi.');
    expect(result.toolResults).toMatchObject([
      { result: { result: '{"text":"hello"} for echo', callId: 'f0.t1.c1' } },
    ]);
  });

  test('it may answer without running the tool', async () => {
    let runs = 0;
    const counting = tool({ ...options, execute: () => (runs += 1) });
    const agent = new Agent({
      name: 'bot',
      model: model(),
      tools: [counting],
      middleware: around(async () => 'cached'),
    });
    const { result } = await watched(agent, 'Hi.');
    expect([result.toolResults[0]?.result, runs]).toEqual(['cached', 0]);
  });

  test('one that throws is a failed tool: the model reads it, and onError is asked', async () => {
    const broken = around(() => Promise.reject(new Error('no budget')));
    for (const onError of [undefined, () => 'in other words', 'throw'] as const) {
      const failing = tool({ ...options, onError, execute: () => 1 });
      const agent = new Agent({
        name: 'bot',
        model: model(),
        tools: [failing],
        middleware: broken,
      });
      const { result } = await watched(agent, 'Hi.');
      expect(result.toolResults).toMatchObject([{ isError: true }]);
      if (onError === 'throw') expect(result.error?.code).toBe('tool_error');
      else
        expect(result.response).toContain(onError === undefined ? 'no budget' : 'in other words');
    }
  });

  test('around each try, and within its time', async () => {
    const log: string[] = [];
    const waiting = gate();
    let tries = 0;
    const flaky = tool({
      ...options,
      effect: 'read',
      retry: { maxRetries: 1 },
      execute: () => {
        tries += 1;
        if (tries === 1) throw new Error('once');
        return 'fine';
      },
    });
    const agent = new Agent({
      name: 'bot',
      model: model(),
      tools: [flaky],
      middleware: [noting('mine', log)],
    });
    expect((await watched(agent, 'Hi.')).result.toolResults).toMatchObject([{ result: 'fine' }]);
    expect(log.filter((line) => line.includes('echo'))).toEqual([
      'mine echo in',
      'mine echo in',
      'mine echo out',
    ]);

    const signals: AbortSignal[] = [];
    const slow = around(async (_call, { signal }) => {
      signals.push(signal);
      return waiting.wait();
    });
    const quick = tool({ ...options, effect: 'read', timeoutMs: 5, execute: () => 1 });
    const late = new Agent({ name: 'bot', model: model(), tools: [quick], middleware: slow });
    const { result } = await watched(late, 'Hi.');
    expect(result.response).toContain('longer than 5 ms');
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
  });

  test('a tool that streams its progress is driven inside', async () => {
    const log: string[] = [];
    const streaming = tool({
      ...options,
      async *execute() {
        yield 'half';
        return 'whole';
      },
    });
    const agent = new Agent({
      name: 'bot',
      model: model(),
      tools: [streaming],
      middleware: [noting('mine', log)],
    });
    const { result, events } = await watched(agent, 'Hi.');
    expect(result.toolResults).toMatchObject([{ result: 'whole' }]);
    expect(events.filter(({ type }) => type === 'tool-progress')).toMatchObject([{ data: 'half' }]);
    expect(log).toContain('mine echo out');
  });

  test('a cancel while it waits', async () => {
    const waiting = gate();
    const agent = new Agent({
      name: 'bot',
      model: model(),
      tools: [echo],
      middleware: around(async (call, _context, next) => {
        await waiting.wait();
        return next(call.input);
      }),
    });
    const abort = new AbortController();
    const running = watched(agent, 'Hi.', { signal: abort.signal });
    await waiting.reached;
    abort.abort();
    const { result } = await running;
    expect(result.status).toBe('cancelled');
    expect(result.toolResults).toMatchObject([{ isError: true }]);
  });

  test('guardrails of a tool are outside: they see what the middleware made of the result', async () => {
    const seen: unknown[] = [];
    const guarded = tool({
      ...options,
      execute: ({ text }) => text,
      guardrails: {
        output: [
          {
            name: 'check',
            check: ({ value }) => {
              seen.push(value);
              return { action: 'allow' };
            },
          },
        ],
      },
    });
    const agent = new Agent({
      name: 'bot',
      model: model(),
      tools: [guarded],
      middleware: around(async (call, _context, next) => `${String(await next(call.input))}!`),
    });
    await watched(agent, 'Hi.');
    expect(seen).toEqual(['hello!']);
  });

  const options = {
    name: 'echo',
    description: 'Echoes',
    parameters: z.object({ text: z.string() }),
  } as const;
});

test("the context is the app's, typed", async () => {
  interface App {
    readonly budget: { left: number };
  }
  const { middleware, agent } = withContext<App>();
  const billed = middleware({
    name: 'billed',
    wrapModelCall: (request, { context }, next) => {
      context.budget.left -= 1;
      return next(request);
    },
    wrapToolCall: (call, { context }, next) => {
      context.budget.left -= 10;
      return next(call.input);
    },
  });
  const model = scriptedModel([{ calls: [['echo', { text: 'x' }]] }, 'Done.']);
  const bot = agent({ name: 'bot', model, tools: [echo], middleware: [billed] });
  const budget = { left: 20 };
  await run(bot, 'Hi.', { context: { budget } });
  expect(budget.left).toBe(8);
  // @ts-expect-error It needs its context.
  const without = () => run(bot, 'Hi.');
  // @ts-expect-error So does an agent that has the middleware only.
  const alone = () => run(new Agent({ name: 'bot', model, middleware: [billed] }), 'Hi.');
  expect([without, alone]).toHaveLength(2);
});
