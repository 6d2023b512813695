import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { dyingStore, journalOf, reloaded, testClock } from '../test/engine.ts';
import {
  allow,
  deltasOf,
  facts,
  guardrail,
  reject,
  rewrite,
  shownOf,
  tripwire,
  unwatched,
  watched,
  said,
} from '../test/guards.ts';
import { Agent } from './agent.ts';
import { isDurable, type Watched } from './events.ts';
import { memoryStore } from './memory-store.ts';
import { textOf } from './message.ts';
import { toPublicEvent } from './public-event.ts';
import { ReflectionAgent } from './reflection-agent.ts';
import { Runner } from './runner.ts';
import { gate, scriptedModel } from './testing/index.ts';
import { tool } from './tool.ts';

const note = tool({
  name: 'note',
  description: 'Notes',
  parameters: z.object({}),
  effect: 'read',
  execute: () => 'noted',
});

test('allow: nothing is shown before it passed; then the text streams, once', async () => {
  const judging = gate();
  const slow = guardrail('slow', async () => {
    await judging.wait();
    return allow;
  });
  const model = scriptedModel([{ reasoning: 'Hm, CANARY.', text: 'All is well.' }]);
  const agent = new Agent({ name: 'bot', model, outputGuardrails: [slow] });
  const store = memoryStore();
  const stream = new Runner(agent, { store }).stream('Hi.', { sessionId: 's' });
  const events: Watched[] = [];
  const reading = (async () => {
    for await (const event of stream) events.push(event);
  })();
  await judging.reached;
  for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
  expect(JSON.stringify(events.map(toPublicEvent))).not.toMatch(/well|CANARY/);
  expect(deltasOf(events)).toEqual([]);
  judging.open();
  await reading;
  expect(deltasOf(events)).toEqual(['All is well.']);
  const result = await stream.result;
  expect(result).toMatchObject({ status: 'completed', response: 'All is well.' });
  expect(slow.asked).toEqual(['All is well.']);
  // What it thought was looked at by nobody.
  const { messages } = await store.sessions.load('s');
  expect(messages.map(textOf)).toEqual(['Hi.', 'All is well.']);
  expect(JSON.stringify([facts(result), messages, events.map(toPublicEvent)])).not.toContain(
    'CANARY',
  );
});

test('rewrite: the answer is the new text, for watchers, callers and the session', async () => {
  const mask = guardrail('mask', rewrite('My number is <phone>.'));
  const after = guardrail('after', allow);
  const model = scriptedModel(['My number is CANARY.', 'Again.']);
  const agent = new Agent({ name: 'bot', model, outputGuardrails: [mask, after] });
  const run = await watched(agent, 'Hi.');
  const answer = 'My number is <phone>.';
  expect([run.result.response, run.result.finalOutput, run.text]).toEqual([answer, answer, answer]);
  expect(deltasOf(run.events).join('')).toBe(answer);
  expect(after.asked).toEqual([answer]);
  expect(run.session.messages.map(textOf)).toEqual(['Hi.', answer]);
  expect(shownOf(run)).not.toContain('CANARY');
  // The next turn of the conversation has the new text, too.
  await run.runner.run('And now?', { sessionId: 's' });
  expect(model.requests[1]?.messages.map(textOf)).toEqual(['Hi.', answer, 'And now?']);
});

test('reject: the model is told and answers again; what it said first is nowhere to be read', async () => {
  const strict = guardrail('strict', ({ value }) =>
    said(value).includes('CANARY') ? reject('Leave out names.') : allow,
  );
  const model = scriptedModel(['It was CANARY.', 'It was someone.']);
  const agent = new Agent({ name: 'bot', model, outputGuardrails: [strict] });
  const run = await watched(agent, 'Who?');
  expect([run.result.response, run.text]).toEqual(['It was someone.', 'It was someone.']);
  expect(model.requests[1]?.messages.map(textOf)).toEqual([
    'Who?',
    'It was CANARY.',
    'Your answer was not accepted: Leave out names.',
  ]);
  expect(run.session.messages.map(textOf)).toEqual(['Who?', 'It was someone.']);
  expect(strict.asked).toEqual(['It was CANARY.', 'It was someone.']);
  expect(shownOf(run)).not.toContain('CANARY');
  expect(run.journal.filter(({ type }) => type === 'guardrail-result')).toMatchObject([
    { on: 'output', action: 'reject', message: 'Leave out names.' },
    { on: 'output', action: 'allow' },
  ]);
});

test.each([
  [0, 1],
  [2, 3],
])(
  'rejected more often than maxOutputRetries (%i): the run fails',
  async (maxOutputRetries, calls) => {
    const model = scriptedModel(() => 'CANARY');
    const agent = new Agent({
      name: 'bot',
      model,
      maxOutputRetries,
      outputGuardrails: [guardrail('no', reject('Never.'))],
    });
    const seen = await watched(agent, 'Hi.');
    expect(shownOf(seen)).not.toContain('CANARY');
    for (const { result, session, journal } of [seen, await unwatched(agent, 'Hi.')]) {
      expect(result.error).toEqual({ code: 'guardrail_rejected', message: 'Never.' });
      expect(result.usage.requests).toBe(calls);
      expect([result.response, result.newMessages.length]).toEqual(['', 1]);
      expect(JSON.stringify([facts(result), session])).not.toContain('CANARY');
      expect(journal.at(-1)).toMatchObject({ type: 'run-end', response: '' });
    }
  },
);

test('rejected until the turns are used up: the run stops, and no draft is its work so far', async () => {
  const agent = new Agent({
    name: 'bot',
    model: scriptedModel(() => 'CANARY'),
    maxTurns: 2,
    maxOutputRetries: 5,
    outputGuardrails: [guardrail('no', reject('Never.'))],
  });
  const run = await watched(agent, 'Hi.');
  expect(run.result).toMatchObject({ status: 'stopped', stopReason: 'max_turns', response: '' });
  expect(shownOf(run)).not.toContain('CANARY');
});

test('tripwire: the run fails, and nothing of the text is shown', async () => {
  const model = scriptedModel(['CANARY']);
  const wire = guardrail('wire', tripwire({ why: 'SECRET' }));
  const agent = new Agent({ name: 'bot', model, outputGuardrails: [wire] });
  const run = await watched(agent, 'Hi.');
  expect(run.result.error).toEqual({
    code: 'guardrail_tripwire',
    message: 'Guardrail wire stopped the run.',
  });
  expect(shownOf(run)).not.toMatch(/CANARY|SECRET/);
});

test('one that throws: the run fails, and what it threw stays inside', async () => {
  const broken = guardrail('broken', ({ value }) => {
    throw new Error(`cannot read ${said(value)}`);
  });
  const agent = new Agent({
    name: 'bot',
    model: scriptedModel(['CANARY']),
    outputGuardrails: [broken],
  });
  const run = await watched(agent, 'Hi.');
  expect(run.result.error?.code).toBe('guardrail_error');
  expect(JSON.stringify(run.followed.map(toPublicEvent))).not.toContain('CANARY');
  expect(JSON.stringify(run.session)).not.toContain('CANARY');
});

test('a later guardrail refuses what an earlier one made: that is shown as little', async () => {
  const mask = guardrail('mask', ({ value }) => rewrite(`${said(value)}, masked`));
  const strict = guardrail('strict', ({ value }) =>
    said(value).startsWith('CANARY') ? reject('No.') : allow,
  );
  const model = scriptedModel(['CANARY', 'Fine']);
  const agent = new Agent({ name: 'bot', model, outputGuardrails: [mask, strict] });
  const run = await watched(agent, 'Hi.');
  expect([run.result.response, run.text]).toEqual(['Fine, masked', 'Fine, masked']);
  expect(shownOf(run)).not.toContain('CANARY');
});

describe('typed answers', () => {
  const outputType = z.object({ city: z.string(), code: z.number() });
  const typed = (
    decide: Parameters<typeof guardrail>[1],
    texts = ['{ "city": "Paris",\n "code": 75 }'],
  ) => {
    const check = guardrail('check', decide);
    const model = scriptedModel(texts);
    const agent = new Agent({ name: 'bot', model, outputType, outputGuardrails: [check] });
    return { check, agent };
  };

  test('a guardrail is given the value; the text streams as it was written, once', async () => {
    const { check, agent } = typed(allow);
    const run = await watched(agent, 'Hi.');
    expect(check.asked).toEqual([{ city: 'Paris', code: 75 }]);
    expect(run.result.finalOutput).toEqual({ city: 'Paris', code: 75 });
    expect(run.text).toBe(run.result.response);
  });

  test('a rewrite that fits is the output', async () => {
    const { agent } = typed(rewrite({ city: '<city>', code: 0 }));
    const run = await watched(agent, 'Hi.');
    expect(run.result.finalOutput).toEqual({ city: '<city>', code: 0 });
    expect(run.text).toBe('{"city":"<city>","code":0}');
    expect(run.session.messages.map(textOf)).toEqual(['Hi.', run.text]);
    expect(shownOf(run)).not.toContain('Paris');
  });

  test('one that does not fit fails the run', async () => {
    const { agent } = typed(rewrite({ city: 'Rome' }));
    const run = await watched(agent, 'Hi.');
    expect(run.result.error).toMatchObject({ code: 'guardrail_error' });
    expect(run.result.error?.message).toContain('code');
    expect(shownOf(run)).not.toContain('Paris');
  });

  test('a text for a typed answer, and JSON for a text, do not fit', async () => {
    const plain = new Agent({
      name: 'bot',
      model: scriptedModel(['x']),
      outputGuardrails: [guardrail('check', rewrite({ a: 1 }))],
    });
    const runs = [await watched(typed(rewrite('Rome')).agent, 'Hi.'), await watched(plain, 'Hi.')];
    expect(runs.map(({ result }) => result.error?.code)).toEqual([
      'guardrail_error',
      'guardrail_error',
    ]);
  });

  test('what does not fit is asked again before a guardrail is asked; nothing of it is in the error', async () => {
    const { check, agent } = typed(allow, [
      '{"city":"CANARY"}',
      'CANARY',
      '{"CANARY":1,"city":"CANARY"}',
    ]);
    const run = await watched(agent, 'Hi.');
    expect(check.asked).toEqual([]);
    expect(run.result.error).toEqual({
      code: 'invalid_output',
      message: 'bot gave no usable answer in 3 tries.',
    });
    expect(shownOf(run)).not.toContain('CANARY');
  });
});

test('text beside tool calls is never shown; the calls and their results are', async () => {
  const model = scriptedModel([{ text: 'CANARY: let me note.', calls: [['note', {}]] }, 'Noted.']);
  const agent = new Agent({
    name: 'bot',
    model,
    tools: [note],
    outputGuardrails: [guardrail('fine', allow)],
  });
  const run = await watched(agent, 'Hi.');
  expect([run.result.response, run.text]).toEqual(['Noted.', 'Noted.']);
  expect(shownOf(run)).not.toContain('CANARY');
  expect(
    run.session.messages.map(({ role, parts }) => [role, parts.map(({ type }) => type)]),
  ).toEqual([
    ['user', ['text']],
    ['assistant', ['tool-call']],
    ['tool', ['tool-result']],
    ['assistant', ['text']],
  ]);
  // Its own model goes on reading it.
  expect(JSON.stringify(model.requests[1]?.messages)).toContain('CANARY');
});

test.each([
  ['a refusal', { refusal: 'I will not tell CANARY.' }],
  ['a text with the reason refusal', { text: 'CANARY', finishReason: 'refusal' as const }],
])('%s fails the run in our words: nobody looked at its own', async (_what, turn) => {
  const check = guardrail('check', allow);
  const agent = new Agent({ name: 'bot', model: scriptedModel([turn]), outputGuardrails: [check] });
  const run = await watched(agent, 'Hi.');
  expect(run.result.error).toEqual({
    code: 'model_refusal',
    message: 'The model refused to answer.',
  });
  expect(shownOf(run)).not.toContain('CANARY');
});

test('a cancel while a guardrail thinks: nothing of the answer is shown', async () => {
  const judging = gate();
  const slow = guardrail('slow', async () => {
    await judging.wait();
    return allow;
  });
  const agent = new Agent({
    name: 'bot',
    model: scriptedModel(['CANARY']),
    outputGuardrails: [slow],
  });
  const abort = new AbortController();
  const running = watched(agent, 'Hi.', { signal: abort.signal });
  await judging.reached;
  abort.abort();
  const run = await running;
  expect(run.result).toMatchObject({ status: 'cancelled', response: '' });
  expect(slow.checks[0]?.signal.aborted).toBe(true);
  expect(shownOf(run)).not.toContain('CANARY');
});

test('an answer with a file: the text is looked at, and the file is kept', async () => {
  const file = { type: 'file', mediaType: 'image/png', data: 'aGk=' } as const;
  const model = scriptedModel([{ text: 'A picture of CANARY.', parts: [file] }]);
  const mask = guardrail('mask', rewrite('A picture.'));
  const agent = new Agent({ name: 'bot', model, outputGuardrails: [mask] });
  const run = await watched(agent, 'Draw.');
  expect(mask.asked).toEqual(['A picture of CANARY.']);
  expect(run.result.response).toBe('A picture.');
  const parts = [{ type: 'text', text: 'A picture.' }, file];
  expect(run.journal.at(-1)).toMatchObject({ output: { type: 'content', parts } });
  expect(run.session.messages[1]?.parts).toEqual(parts);
  expect(shownOf(run)).not.toContain('CANARY');
});

test('a long answer streams whole: no character is cut in two', async () => {
  const long = `${'x'.repeat(1_023)}${'😀'.repeat(1_000)}`;
  const agent = new Agent({
    name: 'bot',
    model: scriptedModel([long]),
    outputGuardrails: [guardrail('fine', allow)],
  });
  const { events, text } = await watched(agent, 'Hi.');
  expect(text).toBe(long);
  const deltas = deltasOf(events);
  expect(deltas.length).toBeGreaterThan(1);
  for (const delta of deltas) expect(delta).not.toMatch(/[\uD800-\uDBFF]$/);
});

test('afterRun comes after the guardrails', async () => {
  const fine = guardrail('fine', allow);
  const agent = new Agent({
    name: 'bot',
    model: scriptedModel(['Answer.']),
    outputGuardrails: [fine],
    afterRun: ({ response }) => ({ response: `${response} Bye.` }),
  });
  const { result, text } = await watched(agent, 'Hi.');
  expect([fine.asked, result.response, text]).toEqual([
    ['Answer.'],
    'Answer. Bye.',
    'Answer. Bye.',
  ]);
});

describe('among agents', () => {
  const careful = (texts: readonly string[]) =>
    new Agent({
      name: 'careful',
      model: scriptedModel(texts.slice()),
      outputGuardrails: [
        guardrail('strict', ({ value }) =>
          said(value).includes('CANARY') ? reject('Not that.') : allow,
        ),
      ],
    });

  test('the target of a transfer has its own; the text before it is shown as it comes', async () => {
    const desk = new Agent({
      name: 'desk',
      model: scriptedModel([
        { text: 'One moment. ', calls: [['handoff_to_careful', { message: 'x' }]] },
      ]),
      handoffs: [careful(['CANARY', 'Fine.'])],
    });
    const run = await watched(desk, 'Hi.');
    expect([run.result.response, run.text]).toEqual(['Fine.', 'One moment. Fine.']);
    expect(deltasOf(run.events, 'careful').join('')).toBe('Fine.');
    expect(shownOf(run)).not.toContain('CANARY');
  });

  test('an agent that hands over is not asked about what another answers', async () => {
    const own = guardrail('own', reject('Never.'));
    const bills = new Agent({ name: 'bills', model: scriptedModel(['Paid.']) });
    const desk = new Agent({
      name: 'desk',
      model: scriptedModel([{ text: 'CANARY', calls: [['handoff_to_bills', { message: 'x' }]] }]),
      handoffs: [bills],
      outputGuardrails: [own],
    });
    const run = await watched(desk, 'Hi.');
    expect([run.result.response, run.text, own.asked]).toEqual(['Paid.', 'Paid.', []]);
    expect(shownOf(run)).not.toContain('CANARY');
  });

  test.each([true, false])(
    'one that is called (delegate: %s): its caller reads what passed',
    async (delegate) => {
      const model = scriptedModel([
        { calls: [['careful', { message: 'x' }]] },
        ({ messages }) => `It said ${JSON.stringify(messages.at(-1)?.parts)}`,
      ]);
      const desk = new Agent({
        name: 'desk',
        model,
        tools: [careful(['CANARY', 'Fine.']).asTool({ toolName: 'careful', delegate })],
      });
      const run = await watched(desk, 'Hi.');
      expect(run.result.response).toContain('Fine.');
      expect(run.text).toBe(run.result.response);
      expect(shownOf(run)).not.toContain('CANARY');
      expect(JSON.stringify(model.requests)).not.toContain('CANARY');
    },
  );

  test.each([
    ['word for word', { mode: 'coordinator', defaultReturn: 'bubble_up' }],
    ['of a chain', { mode: 'sequential' }],
  ] as const)(
    'an answer that is passed on, %s, and refused is not the work so far',
    async (_how, config) => {
      const inner = new Agent({ name: 'inner', model: scriptedModel(['CANARY']) });
      const desk = new Agent({
        name: 'desk',
        model: scriptedModel([{ calls: [['handoff_to_inner', { message: 'x' }]] }]),
        handoffConfig: { ...config, targets: [{ agent: inner }] },
        outputGuardrails: [guardrail('no', reject('Never.'))],
      });
      const { result, text, session } = await watched(desk, 'Hi.');
      expect(result.error).toEqual({ code: 'guardrail_rejected', message: 'Never.' });
      expect([result.response, text]).toEqual(['', '']);
      expect(
        JSON.stringify([
          result.newMessages.filter(({ role }) => role !== 'tool'),
          session.messages.filter(({ role }) => role !== 'tool'),
        ]),
      ).not.toContain('CANARY');
    },
  );

  test('one that is called and never passes is an error for its caller; a tripwire ends the run', async () => {
    for (const [decision, status] of [
      [reject('No.'), 'completed'],
      [tripwire(), 'failed'],
    ] as const) {
      const child = new Agent({
        name: 'child',
        model: scriptedModel(() => 'CANARY'),
        maxOutputRetries: 1,
        outputGuardrails: [guardrail('check', decision)],
      });
      const model = scriptedModel([
        { calls: [['child', { message: 'x' }]] },
        ({ messages }) => `It said ${JSON.stringify(messages.at(-1)?.parts)}`,
      ]);
      const desk = new Agent({ name: 'desk', model, tools: [child.asTool({ toolName: 'child' })] });
      const run = await watched(desk, 'Hi.');
      expect(run.result.status).toBe(status);
      if (status === 'completed') expect(run.result.response).toContain('child failed: No.');
      expect(shownOf(run)).not.toContain('CANARY');
    }
  });

  test('with a reflection: the kept draft is looked at, and no draft is shown', async () => {
    for (const decision of [allow, tripwire(), reject('No.')]) {
      const check = guardrail('check', decision);
      const writer = new ReflectionAgent({
        name: 'writer',
        model: scriptedModel(['CANARY one', 'CANARY two', 'CANARY three', 'CANARY four']),
        evaluationFunction: ({ response }) => (response.endsWith('two') ? 0.9 : 0.1),
        enableSelfEvaluation: false,
        maxReflectionIterations: 1,
        outputGuardrails: [check],
      });
      const run = await watched(writer, 'Write.');
      expect(check.asked[0]).toBe('CANARY two');
      expect(run.result.status).toBe(decision.action === 'allow' ? 'completed' : 'failed');
      if (decision.action === 'allow') expect(run.text).toBe('CANARY two');
      else expect(shownOf(run)).not.toContain('CANARY');
    }
  });

  test('with a reflection that is cut short: the best draft was looked at by no guardrail', async () => {
    const writer = new ReflectionAgent({
      name: 'writer',
      model: scriptedModel(() => 'CANARY'),
      evaluationFunction: () => 0.1,
      enableSelfEvaluation: false,
      maxReflectionIterations: 5,
      outputGuardrails: [guardrail('check', allow)],
    });
    const run = await watched(writer, 'Write.', { limits: { outputTokens: 12 } });
    expect(run.result.status).toBe('stopped');
    expect(shownOf(run)).not.toContain('CANARY');
  });
});

describe('cut and stepped', () => {
  function world() {
    const asks: string[] = [];
    const deciding = (name: string) =>
      guardrail(name, ({ value }) => {
        const text = said(value);
        asks.push(`${name} ${text}`);
        if (name === 'strict') return text.includes('bad') ? reject('Better.') : allow;
        return rewrite(`${text}+${name}`);
      });
    const agent = () =>
      new Agent({
        name: 'bot',
        model: scriptedModel(
          ({ messages }) => (textOf(messages.at(-1) ?? none).includes('Better.') ? 'good' : 'bad'),
          { by: 'conversation' },
        ),
        outputGuardrails: [deciding('mask1'), deciding('strict'), deciding('mask2')],
      });
    return { asks, agent };
  }
  const none = { id: '', role: 'user', parts: [] } as const;
  const answer = 'good+mask1+mask2';
  const all = [
    'mask1 bad',
    'strict bad+mask1',
    'mask1 good',
    'strict good+mask1',
    'mask2 good+mask1',
  ];

  test('at any write: another process asks only what was not decided', async () => {
    let cuts = 0;
    for (let ended = false; !ended; cuts += 1) {
      for (const when of ['before', 'after'] as const) {
        const { asks, agent } = world();
        const clock = testClock();
        const store = memoryStore({ now: clock.now });
        const crash = dyingStore(store, { write: cuts + 1, when });
        const life = new Runner(agent(), { store: crash.store }).run('Hi.', { sessionId: 's' });
        await Promise.race([life, crash.gone]);
        life.catch(() => undefined);
        const [header] = (await store.runs.list({ limit: 1 })).runs;
        if (header === undefined) continue;
        const { runId } = header;
        const recorded = await journalOf(store, runId);
        ended ||= when === 'before' && recorded.at(-1)?.type === 'run-end';
        const decided = recorded.filter(({ type }) => type === 'guardrail-result').length;
        asks.length = 0;
        clock.pass(60_000);
        const result = await new Runner(agent(), { store }).resume(runId);
        expect(result.response).toBe(answer);
        expect(asks).toEqual(all.slice(decided));
        const journal = await journalOf(store, runId);
        expect(journal.filter(({ type }) => type === 'guardrail-result')).toHaveLength(all.length);
        const { messages } = await store.sessions.load('s');
        expect(messages.map(textOf)).toEqual(['Hi.', answer]);
      }
    }
    expect(cuts).toBeGreaterThan(6);
  });

  test('a tripwire that was recorded ends the run in whatever process', async () => {
    const agent = (name: string) =>
      new Agent({
        name: 'bot',
        model: scriptedModel(['CANARY'], { by: 'conversation' }),
        outputGuardrails: [guardrail(name, tripwire())],
      });
    for (let write = 1, seen = 0; seen < 2; write += 1) {
      const clock = testClock();
      const store = memoryStore({ now: clock.now });
      const crash = dyingStore(store, { write, when: 'after' });
      const life = new Runner(agent('wire'), { store: crash.store }).run('Hi.');
      await Promise.race([life, crash.gone]);
      life.catch(() => undefined);
      const [header] = (await store.runs.list({ limit: 1 })).runs;
      const runId = header?.runId ?? '';
      clock.pass(60_000);
      const result = await new Runner(agent('wire'), { store }).resume(runId);
      expect(result.error?.code).toBe('guardrail_tripwire');
      const journal = await journalOf(store, runId);
      if (journal.filter(isDurable).at(-1)?.type === 'run-end') seen += 1;
    }
  });

  test('step by step, each in a process of its own', async () => {
    const { asks, agent } = world();
    let store = memoryStore();
    const { runId } = await new Runner(agent(), { store }).start('Hi.', { sessionId: 's' });
    for (let status = 'running'; status === 'running';) {
      store = await reloaded(store, runId);
      ({ status } = await new Runner(agent(), { store }).step(runId));
    }
    const result = await new Runner(agent(), { store }).get(runId);
    expect(result).toMatchObject({ status: 'completed', response: answer });
    expect(asks).toEqual(all);
  });
});
