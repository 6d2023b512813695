import { expect, test } from 'vitest';
import { z } from 'zod';
import { journalOf, reloaded, testClock, dyingStore } from '../test/engine.ts';
import { noted } from '../test/handoff-world.ts';
import { Agent } from './agent.ts';
import { ModelError } from './errors.ts';
import { isDurable } from './events.ts';
import { handoff } from './handoff.ts';
import type { HandoffConfig } from './handoff-config.ts';
import { memoryStore } from './memory-store.ts';
import { textOf } from './message.ts';
import { Runner } from './runner.ts';
import type { Store } from './store.ts';
import {
  collect,
  eventually,
  gate,
  scriptedModel,
  type Script,
  type ScriptedTurn,
} from './testing/index.ts';
import { tool } from './tool.ts';

// Several agents at work for one: side by side, each in its frame, one answer of it all.

const names = ['flight', 'hotel', 'car'] as const;
type Name = (typeof names)[number];

function booking(script: { readonly [N in Name]?: Script | undefined }, planner: Script) {
  const models = {
    flight: scriptedModel(script.flight ?? ['Flight.']),
    hotel: scriptedModel(script.hotel ?? ['Hotel.']),
    car: scriptedModel(script.car ?? ['Car.']),
    planner: scriptedModel(planner),
  };
  const specialists = names.map(
    (name) => new Agent({ name, description: `Books a ${name}.`, model: models[name] }),
  );
  const store = memoryStore();
  const coordinated = (config: Partial<HandoffConfig> = {}) => {
    const agent = new Agent({
      name: 'planner',
      model: models.planner,
      handoffConfig: {
        mode: 'coordinator',
        targets: specialists.map((one) => ({ agent: one })),
        ...config,
      },
    });
    return new Runner(agent, { store });
  };
  return { models, store, coordinated };
}

function askAll(...asked: readonly Name[]): ScriptedTurn {
  return {
    calls: asked.map((name) => [`handoff_to_${name}`, { message: `A ${name}, please.` }] as const),
  };
}

test('specialists named in one turn work at the same time, and one answer comes of it', async () => {
  const gates = { flight: gate(), hotel: gate(), car: gate() };
  const { models, store, coordinated } = booking(
    {
      flight: [{ before: gates.flight, text: 'Flight.' }],
      hotel: [{ before: gates.hotel, text: 'Hotel.' }],
      car: [{ before: gates.car, text: 'Car.' }],
    },
    [askAll('flight', 'hotel', 'car'), 'All is booked.'],
  );
  const running = coordinated().run('Rome.', { sessionId: 's' });
  // Each is asked before any has answered.
  await Promise.all(names.map((name) => gates[name].reached));
  for (const name of ['car', 'flight', 'hotel'] as const) {
    gates[name].open();
    await eventually(() => models[name].running === 0, `${name} has answered`);
  }
  const result = await running;
  expect(result).toMatchObject({ status: 'completed', response: 'All is booked.' });
  // Results stand in the order of the calls, whoever answered first.
  expect(models.planner.requests[1]?.messages.map(noted).at(-1)).toBe(
    'tool: ["Flight."] ["Hotel."] ["Car."]',
  );
  expect(result.handoffPath).toEqual(['planner', 'flight', 'hotel', 'car']);
  const journal = await journalOf(store, result.runId);
  const ends = journal.filter(({ type }) => type === 'frame-end').map(({ agent }) => agent);
  expect(ends).toEqual(['car', 'flight', 'hotel', 'planner']);
  const { messages } = await store.sessions.load('s');
  expect(messages.map(({ agent }) => agent)).toEqual([undefined, 'planner', 'planner', 'planner']);
});

test('watchers see them speak at once, each in its frame', async () => {
  const { coordinated, store } = booking(
    { flight: ['The flight leaves at nine.'], hotel: ['The hotel is near the station.'] },
    [askAll('flight', 'hotel'), 'All is booked.'],
  );
  const stream = coordinated().stream('Rome.');
  const events = await collect(stream);
  const said: Record<string, string> = {};
  for (const event of events) {
    if (event.type === 'text-delta') said[event.frame] = (said[event.frame] ?? '') + event.delta;
  }
  expect(said).toEqual({
    'f0.1': 'The flight leaves at nine.',
    'f0.2': 'The hotel is near the station.',
    f0: 'All is booked.',
  });
  const frames = events.flatMap((one) => (one.type === 'text-delta' ? [one.frame] : []));
  expect(frames.indexOf('f0.2')).toBeLessThan(frames.lastIndexOf('f0.1'));
  const { runId } = await stream.result;
  expect(events.filter(isDurable)).toEqual(await journalOf(store, runId));
});

test('the coordinator sees who failed, and answers with what there is', async () => {
  const { models, store, coordinated } = booking(
    { hotel: [new ModelError('No rooms today.', { reason: 'invalid-request' })] },
    [askAll('flight', 'hotel'), 'The flight is booked, the hotel is not.'],
  );
  const result = await coordinated().run('Rome.');
  expect(result).toMatchObject({
    status: 'completed',
    response: 'The flight is booked, the hotel is not.',
  });
  expect(result.toolResults).toMatchObject([
    { tool: 'handoff_to_flight', isError: false, result: 'Flight.' },
    {
      tool: 'handoff_to_hotel',
      isError: true,
      result: 'hotel failed: The model refused the request. The log of the server has the reason.',
    },
  ]);
  expect(models.planner.requests[1]?.messages.at(-1)?.parts[1]).toMatchObject({
    isError: true,
    output: { value: 'hotel failed: No rooms today.' },
  });
  await journalOf(store, result.runId);
});

test('broadcast: all are asked what the coordinator was asked, before its first turn', async () => {
  const { models, store, coordinated } = booking(
    { car: [new ModelError('No cars.', { reason: 'invalid-request' })] },
    ['Two of three.'],
  );
  const result = await coordinated({ strategy: 'broadcast' }).run('Rome.', { sessionId: 's' });
  expect(result).toMatchObject({ status: 'completed', response: 'Two of three.' });
  for (const name of names) {
    expect(models[name].requests[0]?.messages.map(noted)).toEqual(['user: Rome.']);
  }
  expect(models.planner.requests[0]?.messages.map(noted)).toEqual([
    'user: Rome.',
    'user: flight answered:\nFlight.\n\nhotel answered:\nHotel.\n\ncar failed: No cars.',
  ]);
  expect(models.planner.requests[0]?.tools).toEqual([]);
  await journalOf(store, result.runId);
  // What others answered is not a part of the conversation; what the coordinator made of it is.
  const { messages } = await store.sessions.load('s');
  expect(messages.map(textOf)).toEqual(['Rome.', 'Two of three.']);
});

test('broadcast really asks all at once', async () => {
  const gates = names.map(() => gate());
  const [flight, hotel, car] = gates.map((before): Script => [{ before, text: 'Here.' }]);
  const { coordinated } = booking({ flight, hotel, car }, ['Done.']);
  const running = coordinated({ strategy: 'broadcast' }).run('Rome.');
  await Promise.all(gates.map(({ reached }) => reached));
  for (const one of gates) one.open();
  expect((await running).response).toBe('Done.');
});

test('best_match: a model chooses one, whose answer the coordinator puts in its words', async () => {
  const { models, store, coordinated } = booking({}, [
    { json: { agent: 'hotel', reason: 'It is about a bed.' } },
    'A hotel it is.',
  ]);
  const result = await coordinated({ strategy: 'best_match' }).run('A bed.');
  expect(result).toMatchObject({ response: 'A hotel it is.', lastAgent: 'planner' });
  expect(result.hops).toEqual([
    { from: 'planner', to: 'hotel', primitive: 'call', reason: 'It is about a bed.' },
  ]);
  expect(models.planner.requests[1]?.messages.map(noted)).toEqual([
    'user: A bed.',
    'user: hotel answered:\nHotel.',
  ]);
  await journalOf(store, result.runId);
});

test.each(['direct', 'best_match'] as const)(
  'bubble_up with %s: the answer of the one that was asked is the answer, word for word',
  async (strategy) => {
    const { models, store, coordinated } = booking({}, [
      strategy === 'direct' ? askAll('hotel') : { json: { agent: 'hotel', reason: '' } },
    ]);
    const runner = coordinated({ strategy, defaultReturn: 'bubble_up' });
    const result = await runner.run('A bed.', { sessionId: 's' });
    expect(result).toMatchObject({ status: 'completed', response: 'Hotel.', lastAgent: 'hotel' });
    expect(models.planner.calls).toBe(1);
    await journalOf(store, result.runId);
    const { messages, activeAgent } = await store.sessions.load('s');
    expect(messages.map(textOf).at(-1)).toBe('Hotel.');
    expect(activeAgent).toBe('planner');
  },
);

test('bubble_up with several: the coordinator puts their answers together', async () => {
  const { coordinated } = booking({}, [askAll('hotel', 'car'), 'Both.']);
  const result = await coordinated({ defaultReturn: 'bubble_up' }).run('Go.');
  expect(result.response).toBe('Both.');
});

test('bubble_up with a failure: the coordinator answers for it', async () => {
  for (const strategy of ['direct', 'best_match'] as const) {
    const { store, coordinated } = booking(
      { hotel: [new ModelError('No rooms.', { reason: 'invalid-request' })] },
      [
        strategy === 'direct' ? askAll('hotel') : { json: { agent: 'hotel', reason: '' } },
        'There is none.',
      ],
    );
    const result = await coordinated({ strategy, defaultReturn: 'bubble_up' }).run('A bed.');
    expect(result).toMatchObject({ status: 'completed', response: 'There is none.' });
    await journalOf(store, result.runId);
  }
});

test('it may ask again after it has read the answers', async () => {
  const { models, store, coordinated } = booking({ hotel: ['Full.', 'A room at last.'] }, [
    askAll('flight', 'hotel'),
    askAll('hotel'),
    'All is booked.',
  ]);
  const result = await coordinated().run('Rome.');
  expect(result.response).toBe('All is booked.');
  expect(models.hotel.calls).toBe(2);
  // Each time a frame of its own: it knows nothing of the first.
  expect(models.hotel.requests.map(({ messages }) => messages.length)).toEqual([1, 1]);
  const journal = await journalOf(store, result.runId);
  expect(journal.flatMap((one) => (one.type === 'handoff' ? [one.childFrame] : []))).toEqual([
    'f0.1',
    'f0.2',
    'f0.3',
  ]);
});

// Ends while several work.

test('a cancel ends all that work, and nothing goes on behind it', async () => {
  const gates = { flight: gate(), hotel: gate() };
  const { models, store, coordinated } = booking(
    {
      flight: [{ before: gates.flight, text: 'Flight.' }],
      hotel: [{ text: 'Hot', beforeResponse: gates.hotel }],
    },
    [{ text: 'I book.', ...calls('flight', 'hotel') }],
  );
  const runner = coordinated();
  const running = runner.run('Rome.', { sessionId: 's' });
  await Promise.all([gates.flight.reached, gates.hotel.reached]);
  const [header] = (await store.runs.list({ limit: 1 })).runs;
  await runner.cancel(header?.runId ?? '', 'enough');
  const result = await running;
  expect(result).toMatchObject({ status: 'cancelled', response: 'I book.' });
  expect([models.flight.running, models.hotel.running]).toEqual([0, 0]);
  expect(models.planner.calls).toBe(1);
  const journal = await journalOf(store, result.runId);
  expect(journal.at(-1)).toMatchObject({ type: 'run-end', status: 'cancelled' });
  expect(result.toolResults.map(({ isError }) => isError)).toEqual([true, true]);
});

function calls(...asked: readonly Name[]) {
  const turn = askAll(...asked);
  return typeof turn === 'object' && 'calls' in turn ? { calls: turn.calls } : {};
}

test('a limit that one of them reaches stops the run', async () => {
  const { store, coordinated } = booking({}, [
    { text: 'I book.', ...calls('flight', 'hotel'), usage: { inputTokens: 90, outputTokens: 9 } },
    'Never asked.',
  ]);
  const result = await coordinated().run('Rome.', { limits: { totalTokens: 100 } });
  expect(result).toMatchObject({ status: 'stopped', stopReason: 'total_tokens' });
  await journalOf(store, result.runId);
});

test('killed while both work, another process finishes what each had left', async () => {
  const clock = testClock();
  const store = memoryStore({ now: clock.now });
  const happened: string[] = [];
  const there = gate();
  const planner = (first: boolean) => {
    const book = tool({
      name: 'book',
      description: 'Books',
      parameters: z.object({}),
      execute: (_input, { callId }) => {
        happened.push(callId);
        return 'booked';
      },
    });
    const byConversation = { by: 'conversation' } as const;
    const flight = new Agent({
      name: 'flight',
      model: scriptedModel([{ calls: [['book', {}]] }, 'Flight booked.'], byConversation),
      tools: [book],
    });
    const hotel = new Agent({
      name: 'hotel',
      model: scriptedModel([first ? { before: there, text: 'Hotel.' } : 'Hotel booked.']),
    });
    return new Agent({
      name: 'planner',
      model: scriptedModel([askAll('flight', 'hotel'), 'All.'], byConversation),
      handoffConfig: { mode: 'coordinator', targets: [{ agent: flight }, { agent: hotel }] },
    });
  };
  const crash = dyingStore(store, { write: 1_000, when: 'before' });
  const life = new Runner(planner(true), { store: crash.store }).run('Rome.');
  life.catch(() => undefined);
  await there.reached;
  const [header] = (await store.runs.list({ limit: 1 })).runs;
  const { runId } = header ?? { runId: '' };
  // The flight is done and recorded, the hotel is not.
  await eventually(
    async () => (await journalOf(store, runId)).some(({ type }) => type === 'frame-end'),
    'the flight has answered',
  );
  crash.kill();
  there.open();
  clock.pass(60_000);
  const result = await new Runner(planner(false), { store }).resume(runId);
  expect(result).toMatchObject({ status: 'completed', response: 'All.' });
  expect(result.toolResults.map((one) => one.result)).toEqual([
    'booked',
    'Flight booked.',
    'Hotel booked.',
  ]);
  expect(happened).toHaveLength(1);
  await journalOf(store, runId);
});

// Approvals deep inside, decided elsewhere.

/** A line of agents: `top` asks `middle` as a tool, that calls `low`, that hands over to `deep`, whose tool needs a yes. */
function deepLine(effects: string[]) {
  const byConversation = { by: 'conversation' } as const;
  const pay = tool({
    name: 'pay',
    description: 'Pays',
    parameters: z.object({ amount: z.number() }),
    needsApproval: true,
    execute: ({ amount }, { callId, agentPath }) => {
      effects.push(`${agentPath.join('/')} ${callId} ${amount}`);
      return 'paid';
    },
  });
  const deep = new Agent({
    name: 'deep',
    model: scriptedModel([{ calls: [['pay', { amount: 7 }]] }, 'Paid 7.'], byConversation),
    tools: [pay],
  });
  const low = new Agent({
    name: 'low',
    model: scriptedModel([{ calls: [['handoff_to_deep', { message: 'Pay.' }]] }], byConversation),
    handoffs: [deep],
  });
  const middle = new Agent({
    name: 'middle',
    model: scriptedModel(
      [{ calls: [['handoff_to_low', { message: 'Pay.' }]] }, 'Middle: done.'],
      byConversation,
    ),
    handoffs: [handoff(low, { controlReturn: 'return_to_caller' })],
  });
  return new Agent({
    name: 'top',
    model: scriptedModel(
      [{ calls: [['middle', { message: 'Pay.' }]] }, 'Top: done.'],
      byConversation,
    ),
    tools: [middle.asTool()],
  });
}

test('an approval three frames deep, decided in another process, returns through all frames', async () => {
  const effects: string[] = [];
  const store = memoryStore();
  const first = new Runner(deepLine(effects), { store });
  const waiting = await first.run('Pay the bill.', { sessionId: 's' });
  expect(waiting).toMatchObject({
    status: 'interrupted',
    interruptions: [
      { kind: 'approval', frame: 'f0.1.1.1', agent: 'deep', toolName: 'pay', input: { amount: 7 } },
    ],
  });
  expect(effects).toEqual([]);
  const { runId } = waiting;
  // One process takes the answer, another goes on; both know the journal only.
  let elsewhere = await reloaded(store, runId);
  const [asked] = waiting.interruptions;
  const decision = { interruptionId: asked?.id ?? '', approved: true } as const;
  await new Runner(deepLine(effects), { store: elsewhere }).post(runId, {
    id: 'yes',
    type: 'decide',
    decisions: [decision],
    by: 'ann',
  });
  elsewhere = await reloaded(elsewhere, runId);
  const result = await new Runner(deepLine(effects), { store: elsewhere }).resume(runId);
  expect(result).toMatchObject({
    status: 'completed',
    response: 'Top: done.',
    handoffPath: ['top', 'middle', 'low', 'deep'],
  });
  expect(effects).toEqual(['top/middle/low/deep f0.1.1.1.t1.c1 7']);
  const journal = await journalOf(elsewhere, runId);
  expect(journal.flatMap((one) => (one.type === 'frame-end' ? [one.frame] : []))).toEqual([
    'f0.1.1.1',
    'f0.1.1',
    'f0.1',
    'f0',
  ]);
  expect(result.toolResults).toMatchObject([
    { tool: 'handoff_to_deep' },
    { tool: 'pay', result: 'paid' },
    { tool: 'handoff_to_low', result: 'Paid 7.' },
    { tool: 'middle', result: 'Middle: done.' },
  ]);
  const { messages } = await elsewhere.sessions.load('s');
  expect(messages.map(noted).at(-1)).toBe('assistant: Top: done.');
});

test('a refusal three frames deep is read where it was asked', async () => {
  const effects: string[] = [];
  const store = memoryStore();
  const waiting = await new Runner(deepLine(effects), { store }).run('Pay the bill.');
  const elsewhere = await reloaded(store, waiting.runId);
  const result = await new Runner(deepLine(effects), { store: elsewhere }).resume(waiting.runId, [
    { interruptionId: waiting.interruptions[0]?.id ?? '', approved: false, message: 'No.' },
  ]);
  expect(result).toMatchObject({ status: 'completed', response: 'Top: done.' });
  expect(effects).toEqual([]);
  expect(result.toolResults.find(({ tool: name }) => name === 'pay')).toMatchObject({
    isError: true,
    result: 'No.',
  });
  await journalOf(elsewhere, waiting.runId);
});

test('a cancel while an approval three frames deep is open ends the run', async () => {
  const store = memoryStore();
  const waiting = await new Runner(deepLine([]), { store }).run('Pay the bill.', {
    sessionId: 's',
  });
  const elsewhere = await reloaded(store, waiting.runId);
  const runner = new Runner(deepLine([]), { store: elsewhere });
  await runner.cancel(waiting.runId);
  expect(await runner.get(waiting.runId)).toMatchObject({ status: 'cancelled' });
  const journal = await journalOf(elsewhere, waiting.runId);
  const settled = journal.flatMap((one) => (one.type === 'tool-result' ? [one.callId] : []));
  expect(new Set(settled)).toEqual(
    new Set(['f0.t1.c1', 'f0.1.t1.c1', 'f0.1.1.t1.c1', 'f0.1.1.1.t1.c1']),
  );
});

/** Two specialists that each need a yes, and one that does not. */
function twoApprovals(effects: string[]) {
  const byConversation = { by: 'conversation' } as const;
  const booker = (name: Name) =>
    new Agent({
      name,
      model: scriptedModel(
        [{ calls: [['book', { what: name }]] }, `${name} booked.`],
        byConversation,
      ),
      tools: [
        tool({
          name: 'book',
          description: 'Books',
          parameters: z.object({ what: z.string() }),
          needsApproval: name !== 'car',
          execute: ({ what }) => {
            effects.push(what);
            return 'booked';
          },
        }),
      ],
    });
  return new Agent({
    name: 'planner',
    model: scriptedModel([askAll('flight', 'hotel', 'car'), 'All.'], byConversation),
    handoffConfig: {
      mode: 'coordinator',
      targets: names.map((name) => ({ agent: booker(name) })),
    },
  });
}

test('approvals in two frames side by side: both are asked, whoever needs none has worked', async () => {
  const effects: string[] = [];
  const store = memoryStore();
  const runner = new Runner(twoApprovals(effects), { store });
  const waiting = await runner.run('Rome.');
  expect(waiting.status).toBe('interrupted');
  // Side by side, either may be the first to ask.
  expect(waiting.interruptions.map(({ frame, agent }) => `${frame} ${agent}`).toSorted()).toEqual([
    'f0.1 flight',
    'f0.2 hotel',
  ]);
  expect(effects).toEqual(['car']);
  const decisions = waiting.interruptions.map(
    ({ id }) => ({ interruptionId: id, approved: true }) as const,
  );
  const result = await runner.resume(waiting.runId, decisions);
  expect(result).toMatchObject({ status: 'completed', response: 'All.' });
  expect(new Set(effects)).toEqual(new Set(['car', 'flight', 'hotel']));
  expect(effects).toHaveLength(3);
  await journalOf(store, result.runId);
});

test('one of them answered, the run waits for the other; each answer may come to another process', async () => {
  const effects: string[] = [];
  let store: Store = memoryStore();
  const waiting = await new Runner(twoApprovals(effects), { store }).run('Rome.');
  const { runId } = waiting;
  const ids = new Map(waiting.interruptions.map(({ agent, id }) => [agent, id]));
  const [flight, hotel] = [ids.get('flight'), ids.get('hotel')];
  store = await reloaded(store, runId);
  const half = await new Runner(twoApprovals(effects), { store }).resume(runId, [
    { interruptionId: hotel ?? '', approved: false, message: 'Too dear.' },
  ]);
  expect(half).toMatchObject({ status: 'interrupted', interruptions: [{ id: flight }] });
  expect(effects).toEqual(['car']);
  store = await reloaded(store, runId);
  const result = await new Runner(twoApprovals(effects), { store }).resume(runId, [
    { interruptionId: flight ?? '', approved: true },
  ]);
  expect(result).toMatchObject({ status: 'completed', response: 'All.' });
  expect(effects).toEqual(['car', 'flight']);
  expect(result.toolResults.filter(({ isError }) => isError)).toMatchObject([
    { tool: 'book', arguments: { what: 'hotel' }, result: 'Too dear.' },
  ]);
  await journalOf(store, runId);
});

test('what one of them needs a yes for is asked while the others work', async () => {
  const there = gate();
  const effects: string[] = [];
  const pay = tool({
    name: 'pay',
    description: 'Pays',
    parameters: z.object({}),
    needsApproval: true,
    execute: () => effects.push('paid'),
  });
  const flight = new Agent({
    name: 'flight',
    model: scriptedModel([{ calls: [['pay', {}]] }, 'Flight.']),
    tools: [pay],
  });
  const hotel = new Agent({
    name: 'hotel',
    model: scriptedModel([{ before: there, text: 'Hotel.' }]),
  });
  const planner = new Agent({
    name: 'planner',
    model: scriptedModel([askAll('flight', 'hotel'), 'All.']),
    handoffConfig: { mode: 'coordinator', targets: [{ agent: flight }, { agent: hotel }] },
  });
  const store = memoryStore();
  const runner = new Runner(planner, { store });
  const running = runner.run('Rome.');
  await there.reached;
  const [header] = (await store.runs.list({ limit: 1 })).runs;
  const { runId } = header ?? { runId: '' };
  const asked = await eventually(async () => {
    const journal = await journalOf(store, runId);
    return journal.flatMap((one) => (one.type === 'interruption' ? [one.interruption] : []))[0];
  }, 'the question is there');
  const decisions = [{ interruptionId: asked?.id ?? '', approved: true } as const];
  await runner.post(runId, { id: 'yes', type: 'decide', decisions });
  // The answer is followed while the other one still works.
  await eventually(() => Promise.resolve(effects[0]), 'it is paid');
  there.open();
  const result = await running;
  expect(result).toMatchObject({ status: 'completed', response: 'All.' });
  expect(effects).toEqual(['paid']);
  // Answered in time, it never had to wait.
  const types = (await journalOf(store, runId)).map(({ type }) => type);
  expect(types).not.toContain('run-pause');
});
