import { beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { dyingStore, journalOf, testClock } from '../test/engine.ts';
import { Agent } from './agent.ts';
import type { RunEvent, RunEventBody, RunEventOf } from './events.ts';
import type { Guardrail } from './guardrail.ts';
import { memoryStore } from './memory-store.ts';
import { ReflectionAgent } from './reflection-agent.ts';
import { Runner } from './runner.ts';
import { gate, journalFaults, scriptedModel, verifyJournal } from './testing/index.ts';
import { tool } from './tool.ts';

// Every invariant of journal.md has a journal that breaks it; good journals, made by real runs, break none.

const parameters = z.object({});
const look = tool({
  name: 'look',
  description: 'Looks',
  parameters,
  effect: 'read',
  execute: () => 1,
});

/** Two calls in one turn, then an answer. */
let plain: RunEvent[] = [];
/** One approved call, one refused one. */
let approved: RunEvent[] = [];
/** A `once` call that was found not done and run once more. */
let reconciled: RunEvent[] = [];
/** Guardrails of every kind that let pass; one call that was refused; one answer that was refused first. */
let guarded: RunEvent[] = [];
/** Two drafts, the first of them kept. */
let reflected: RunEvent[] = [];
/** A conversation that is cut before its turn, with a call that keeps something with its session. */
let compacting: RunEvent[] = [];
/** A request that a model passed on. */
let routed: RunEvent[] = [];

beforeAll(async () => {
  const store = memoryStore();
  const runner = new Runner(
    new Agent({
      name: 'bot',
      model: scriptedModel([
        {
          calls: [
            ['look', {}],
            ['look', {}],
          ],
        },
        'Done.',
      ]),
      tools: [look],
    }),
    { store },
  );
  plain = await journalOf(store, (await runner.run('Go')).runId);

  const ask = tool({
    name: 'ask',
    description: 'Asks',
    parameters,
    needsApproval: true,
    execute: () => 1,
  });
  const asking = new Runner(
    new Agent({
      name: 'bot',
      model: scriptedModel([
        {
          calls: [
            ['ask', {}],
            ['ask', {}],
          ],
        },
        'Done.',
      ]),
      tools: [ask],
    }),
    { store },
  );
  const paused = await asking.run('Go');
  const [a, b] = paused.interruptions;
  await asking.resume(paused.runId, [
    { interruptionId: a?.id ?? '', approved: true },
    { interruptionId: b?.id ?? '', approved: false },
  ]);
  approved = await journalOf(store, paused.runId);

  const clock = testClock();
  const crashing = memoryStore({ now: clock.now });
  const process = dyingStore(crashing, { write: 99, when: 'after' });
  const under = gate();
  let runs = 0;
  const pay = tool({
    name: 'pay',
    description: 'Pays',
    parameters,
    reconcile: async () => ({ done: false }),
    execute: async () => {
      runs += 1;
      if (runs === 1) await under.wait();
      return 'paid';
    },
  });
  const agent = () =>
    new Agent({
      name: 'bot',
      model: scriptedModel([{ calls: [['pay', {}]] }, 'Done.'], { by: 'conversation' }),
      tools: [pay],
    });
  void new Runner(agent(), { store: process.store }).run('Go').catch(() => undefined);
  await under.reached;
  process.kill();
  clock.pass(60_000);
  const [header] = (await crashing.runs.list({ limit: 1 })).runs;
  await new Runner(agent(), { store: crashing }).resume(header?.runId ?? '');
  reconciled = await journalOf(crashing, header?.runId ?? '');
});

beforeAll(async () => {
  const store = memoryStore();
  const journal = async (bot: Agent) =>
    journalOf(store, (await new Runner(bot, { store }).run('Go')).runId);

  const fine = { name: 'fine', check: () => ({ action: 'allow' }) as const };
  const strict: Guardrail = {
    name: 'strict',
    check: ({ value }) =>
      JSON.stringify(value).includes('bad')
        ? { action: 'reject', message: 'No.' }
        : { action: 'rewrite', value },
  };
  const say = tool({
    name: 'say',
    description: 'Says',
    parameters: z.object({ text: z.string() }),
    execute: ({ text }) => text,
    guardrails: { input: [fine, strict], output: [fine] },
  });
  guarded = await journal(
    new Agent({
      name: 'bot',
      model: scriptedModel([
        {
          calls: [
            ['say', { text: 'good' }],
            ['say', { text: 'bad' }],
          ],
        },
        'A bad answer.',
        'A good answer.',
      ]),
      tools: [say],
      inputGuardrails: [fine],
      outputGuardrails: [strict],
    }),
  );
  reflected = await journal(
    new ReflectionAgent({
      name: 'bot',
      model: scriptedModel(['First.', 'Second.']),
      evaluationModel: scriptedModel(
        [0.5, 0.1].map((quality) => ({ json: { scores: { quality }, feedback: 'More.' } })),
      ),
      criteria: ['quality'],
      maxReflectionIterations: 1,
    }),
  );
  const keep = tool({
    name: 'keep',
    description: 'Keeps',
    parameters,
    execute: (_input, { updateSessionState }) => {
      updateSessionState({ kept: true });
      return 1;
    },
  });
  const inSession = { sessionId: 'compacting' };
  const keeping = new Runner(
    new Agent({
      name: 'bot',
      model: scriptedModel(['Yes.', { calls: [['keep', {}]] }, 'Kept.']),
      tools: [keep],
    }),
    { store, compaction: { trigger: { messages: 2 }, keepLast: 1 } },
  );
  await keeping.run('First.', inSession);
  compacting = await journalOf(store, (await keeping.run('Keep.', inSession)).runId);
  routed = await journal(
    new Agent({
      name: 'bot',
      model: scriptedModel([{ json: { agent: 'other', reason: 'it fits' } }]),
      handoffConfig: {
        mode: 'conditional',
        strategy: 'best_match',
        targets: [{ agent: new Agent({ name: 'other', model: scriptedModel(['Done.']) }) }],
      },
    }),
  );
});

/** The faults as `rule at seq`. */
function faultsOf(journal: readonly RunEvent[], options?: Parameters<typeof journalFaults>[1]) {
  return journalFaults(journal, options).map(({ rule }) => rule);
}

function renumbered(journal: readonly RunEvent[]): RunEvent[] {
  return journal.map((event, index) => ({ ...event, seq: index + 1 }));
}

function without(journal: readonly RunEvent[], drop: (event: RunEvent) => boolean): RunEvent[] {
  return renumbered(journal.filter((event) => !drop(event)));
}

/** Puts an event behind the first (or last) that fits, as one of the root's. */
function withAfter(
  journal: readonly RunEvent[],
  fits: (event: RunEvent) => boolean,
  body: RunEventBody,
  frame = 'f0',
): RunEvent[] {
  const at = journal.findIndex(fits);
  const [first] = journal;
  if (at === -1 || first === undefined) throw new Error('No event fits.');
  const { v, runId, agent } = first;
  const event: RunEvent = { v, seq: 0, at: 0, runId, frame, agent, ...body };
  return renumbered([...journal.slice(0, at + 1), event, ...journal.slice(at + 1)]);
}

function find<T extends RunEvent['type']>(journal: readonly RunEvent[], type: T): RunEventOf<T> {
  const found = journal.find((event): event is RunEventOf<T> => event.type === type);
  if (found === undefined) throw new Error(`There is no ${type}.`);
  return found;
}

function changed(
  journal: readonly RunEvent[],
  type: RunEvent['type'],
  patch: { readonly [field: string]: unknown },
): RunEvent[] {
  const seq = find(journal, type).seq;
  // What is wrong on purpose has no type.
  return journal.map((event) => (event.seq === seq ? { ...event, ...patch } : event));
}

const is =
  (type: RunEvent['type']) =>
  (event: RunEvent): boolean =>
    event.type === type;

const handoffCall: Extract<RunEventBody, { readonly type: 'handoff' }> = {
  type: 'handoff',
  to: 'other',
  childFrame: 'f0.1',
  primitive: 'call',
  messages: [],
  asked: 0,
  context: {},
};

const broken: readonly [rule: string, story: string, journal: () => RunEvent[]][] = [
  ['I1', 'an event is missing', () => plain.filter((event) => event.seq !== 3)],
  ['I1', 'it begins with 2', () => plain.map((event) => ({ ...event, seq: event.seq + 1 }))],
  ['I1', 'an event of another run', () => changed(plain, 'tool-start', { runId: 'other' })],
  ['I2', 'no run-start', () => without(plain, is('run-start'))],
  ['I2', 'two of them', () => withAfter(plain, is('run-start'), find(plain, 'run-start'))],
  ['I3', 'something after the end', () => withAfter(plain, is('run-end'), find(plain, 'run-end'))],
  [
    'I3',
    'a cancelled run that completed',
    () => withAfter(plain, is('run-start'), { type: 'cancel-request' }),
  ],
  [
    'I4',
    'an event of a frame that never began',
    () => changed(plain, 'tool-start', { frame: 'f7' }),
  ],
  [
    'I4',
    'an event of a frame that has ended',
    () => withAfter(plain, is('frame-end'), { type: 'warning', code: 'x', message: 'x' }),
  ],
  [
    'I4',
    'a frame that ends twice',
    () => withAfter(plain, is('frame-end'), find(plain, 'frame-end')),
  ],
  ['I4', 'a completed run whose root has not ended', () => without(plain, is('frame-end'))],
  [
    'I4',
    'a parent that ends before its child',
    () => withAfter(plain, is('run-start'), handoffCall),
  ],
  [
    'I4',
    'a frame that begins twice',
    () => withAfter(withAfter(plain, is('run-start'), handoffCall), is('handoff'), handoffCall),
  ],
  [
    'I5',
    'a start of no call',
    () =>
      changed(plain, 'tool-start', {
        callId: 'f0.t9.c9',
        idempotencyKey: `${plain[0]?.runId}/f0.t9.c9`,
      }),
  ],
  ['I5', 'a second start', () => withAfter(plain, is('tool-start'), find(plain, 'tool-start'))],
  [
    'I5',
    'a second start of a settled call',
    () => withAfter(plain, is('tool-result'), find(plain, 'tool-start')),
  ],
  [
    'I5',
    'a once call that is repeated after a resume',
    () =>
      changed(reconciled, 'run-resume', {}).map((event) =>
        event.type === 'tool-start' ? { ...event, reconciled: undefined } : event,
      ),
  ],
  ['I5', 'a repeat without a resume', () => without(reconciled, is('run-resume'))],
  [
    'I5',
    'an approval that is used twice',
    () => {
      const start = find(approved, 'tool-start');
      const resumed = withAfter(approved, is('tool-start'), { type: 'run-resume', attempt: 1 });
      return withAfter(
        resumed,
        (event) => event.type === 'run-resume' && event.seq > start.seq,
        start,
      );
    },
  ],
  [
    'I5',
    'a start while the question is open',
    () => withAfter(approved, is('interruption'), find(approved, 'tool-start')),
  ],
  [
    'I5',
    'a refused call that runs',
    () => {
      const refused = approved.find(
        (event) => event.type === 'tool-result' && event.how === 'rejected',
      );
      const callId = refused?.type === 'tool-result' ? refused.callId : '';
      const start = {
        ...find(approved, 'tool-start'),
        callId,
        idempotencyKey: `${approved[0]?.runId}/${callId}`,
      };
      return withAfter(approved, (event) => event.type === 'run-resume', start);
    },
  ],
  [
    'I5',
    'a call id that comes twice',
    () =>
      withAfter(
        plain,
        (event) => event.type === 'tool-result' && event.seq === 6,
        find(plain, 'model-response'),
      ),
  ],
  ['I6', 'two results', () => withAfter(plain, is('tool-result'), find(plain, 'tool-result'))],
  ['I6', 'a result of no call', () => changed(plain, 'tool-result', { callId: 'f0.t9.c9' })],
  [
    'I6',
    'a result that ran without a start',
    () => without(plain, (event) => event.type === 'tool-start' && event.seq === 3),
  ],
  ['I6', 'an approved call that ran without a start', () => without(approved, is('tool-start'))],
  [
    'I6',
    'a checkpoint of a call that does not run',
    () =>
      withAfter(plain, is('tool-result'), {
        type: 'tool-checkpoint',
        callId: find(plain, 'tool-result').callId,
        data: 1,
      }),
  ],
  [
    'I6',
    'a handoff result without a handoff',
    () => changed(plain, 'tool-result', { how: 'handoff' }),
  ],
  [
    'I6',
    'a call that is handed over and run',
    () =>
      withAfter(plain, is('model-response'), {
        ...handoffCall,
        callId: find(plain, 'tool-start').callId,
      }),
  ],
  [
    'I7',
    'another turn while a call is unsettled',
    () => without(plain, (event) => event.type === 'tool-result' && event.seq === 6),
  ],
  [
    'I8',
    'an end with an unsettled call',
    () => without(approved, (event) => event.type === 'tool-result' || event.type === 'frame-end'),
  ],
  [
    'I9',
    'an answer to nothing',
    () => changed(approved, 'decision', { decision: { interruptionId: 'x', approved: true } }),
  ],
  ['I9', 'two answers', () => withAfter(approved, is('decision'), find(approved, 'decision'))],
  [
    'I9',
    'an answer of another form',
    () =>
      changed(approved, 'decision', {
        decision: {
          interruptionId: find(approved, 'interruption').interruption.id,
          outcome: 'not-done',
        },
      }),
  ],
  ['I9', 'an open question at a completed end', () => without(approved, is('decision'))],
  [
    'I9',
    'a question that is asked twice',
    () => withAfter(approved, is('interruption'), find(approved, 'interruption')),
  ],
  [
    'I10',
    'a pause with nothing open',
    () => withAfter(plain, is('run-start'), { type: 'run-pause', interruptions: [] }),
  ],
  ['I10', 'work during the pause', () => without(approved, is('run-resume'))],
  [
    'I11',
    'usage that is not the sum',
    () => changed(plain, 'run-end', { usage: { ...find(plain, 'run-end').usage, totalTokens: 1 } }),
  ],
  ['I13', 'another key', () => changed(plain, 'tool-start', { idempotencyKey: 'k' })],
  ['I14', 'a version of the future', () => changed(plain, 'tool-start', { v: 99 })],
  [
    'I14',
    'a number that JSON does not have',
    () => changed(plain, 'tool-start', { input: Number.NaN }),
  ],
  ['I14', 'a bigint', () => changed(plain, 'tool-start', { input: 1n })],
  ['I14', 'a date', () => changed(plain, 'tool-start', { input: new Date() })],
];

/** The one about this, by this guardrail. */
const verdict =
  (on: RunEventOf<'guardrail-result'>['on'], name: string, action?: string) =>
  (event: RunEvent): boolean =>
    event.type === 'guardrail-result' &&
    event.on === on &&
    event.name === name &&
    (action === undefined || event.action === action);

function one<T extends RunEvent['type']>(
  journal: readonly RunEvent[],
  type: T,
  fits: (event: RunEventOf<T>) => boolean,
): RunEventOf<T> {
  const found = journal.find(
    (event): event is RunEventOf<T> => event.type === type && fits(event as RunEventOf<T>),
  );
  if (found === undefined) throw new Error(`No ${type} fits.`);
  return found;
}

const result = (on: RunEventOf<'guardrail-result'>['on'], name: string) =>
  one(guarded, 'guardrail-result', verdict(on, name));

const brokenAnswers: typeof broken = [
  [
    'I16',
    'a decision that is made twice',
    () => withAfter(guarded, verdict('input', 'fine'), result('input', 'fine')),
  ],
  [
    'I16',
    'an input that is looked at after the first turn',
    () => {
      const { length } = guarded;
      const late = { ...result('input', 'fine'), name: 'late' };
      return withAfter(guarded, ({ seq }) => seq === length - 3, late);
    },
  ],
  [
    'I16',
    'an input that is looked at when somebody else has it',
    () => withAfter(routed, is('route'), result('input', 'fine')),
  ],
  [
    'I16',
    'an answer that is looked at before it is there',
    () => withAfter(guarded, is('run-start'), result('output', 'strict')),
  ],
  [
    'I16',
    'an answer that was shown before it was looked at',
    () =>
      guarded.map((event) =>
        event.type === 'model-response' ? { ...event, held: undefined } : event,
      ),
  ],
  [
    'I16',
    'a refused answer that is the answer',
    () => {
      const at = guarded.findIndex(verdict('output', 'strict', 'reject'));
      return renumbered([...guarded.slice(0, at + 1), ...guarded.slice(-2)]);
    },
  ],
  [
    'I16',
    'a call that is looked at after its start',
    () => withAfter(guarded, is('tool-start'), { ...result('tool-input', 'fine'), name: 'late' }),
  ],
  [
    'I16',
    'a call that is looked at after a person was asked',
    () =>
      withAfter(approved, is('interruption'), {
        ...result('tool-input', 'fine'),
        callId: find(approved, 'interruption').interruption.callId,
      }),
  ],
  [
    'I16',
    'a decision about no call of the frame',
    () => changed(guarded, 'guardrail-result', { on: 'tool-input', callId: 'f0.t9.c9' }),
  ],
  [
    'I16',
    'a refused call that runs',
    () => {
      const { callId = '' } = one(
        guarded,
        'guardrail-result',
        verdict('tool-input', 'strict', 'reject'),
      );
      const start = {
        ...find(guarded, 'tool-start'),
        callId,
        idempotencyKey: `${guarded[0]?.runId}/${callId}`,
      };
      return withAfter(guarded, verdict('tool-input', 'strict', 'reject'), start);
    },
  ],
  [
    'I16',
    'a result that is looked at before the tool ran',
    () =>
      withAfter(guarded, verdict('tool-input', 'fine'), {
        ...result('tool-output', 'fine'),
        name: 'early',
      }),
  ],
  [
    'I16',
    'a result that is looked at when it is settled',
    () =>
      withAfter(guarded, (event) => event.type === 'tool-result' && event.how === 'ran', {
        ...result('tool-output', 'fine'),
        name: 'late',
      }),
  ],
  [
    'I16',
    'a tool that starts after a tripwire',
    () => changed(guarded, 'guardrail-result', { action: 'tripwire' }),
  ],
  [
    'I16',
    'a run that completes after a tripwire',
    () =>
      guarded.map((event) =>
        verdict('output', 'strict', 'rewrite')(event) ? { ...event, action: 'tripwire' } : event,
      ) as RunEvent[],
  ],
  [
    'I16',
    'a refusal without a message',
    () =>
      guarded.map((event) =>
        verdict('output', 'strict', 'reject')(event) ? { ...event, message: undefined } : event,
      ) as RunEvent[],
  ],
  [
    'I16',
    'a rewrite without a value',
    () =>
      guarded.map((event) =>
        verdict('output', 'strict', 'rewrite')(event) ? { ...event, value: undefined } : event,
      ) as RunEvent[],
  ],
  [
    'I16',
    'an answer that a guardrail made worthless, after a turn',
    () =>
      guarded.map((event) =>
        event.type === 'model-response' && event.message.id === 'f0.t2'
          ? { ...event, purpose: 'guard' }
          : event,
      ),
  ],
  ['I17', 'a judgement of nothing', () => withAfter(reflected, is('run-start'), judged())],
  ['I17', 'a draft that is not there', () => withAfter(plain, is('run-start'), draft())],
  ['I17', 'a draft with a call', () => withAfter(plain, is('model-response'), draft())],
  ['I17', 'a draft that is judged twice', () => withAfter(reflected, is('reflection'), draft())],
  ['I17', 'a draft is left out', () => changed(reflected, 'reflection', { iteration: 1 })],
  [
    'I17',
    'a draft that is improved after the best is chosen',
    () => changed(reflected, 'reflection', { done: true }),
  ],
  [
    'I18',
    'a route after the first turn',
    () => withAfter(plain, is('model-response'), { type: 'route', to: 'other' }),
  ],
  [
    'I18',
    'a route that is decided twice',
    () => withAfter(routed, is('route'), find(routed, 'route')),
  ],
  [
    'I18',
    'a router that is asked after the first turn',
    () =>
      plain.map((event) =>
        event.type === 'model-response' && event.message.id === 'f0.t2'
          ? { ...event, purpose: 'route' }
          : event,
      ),
  ],
  ['I19', 'a change of state without a result', () => without(compacting, is('tool-result'))],
  [
    'I19',
    'a change of state by a call that did not run',
    () => changed(compacting, 'tool-result', { how: 'unknown-outcome' }),
  ],
  [
    'I19',
    'a change of state by another call',
    () => changed(compacting, 'session-state', { callId: 'f0.t9.c9' }),
  ],
  [
    'I20',
    'a compaction that leaves nothing out',
    () => changed(compacting, 'compaction', { removed: 0, from: undefined }),
  ],
  [
    'I20',
    'a compaction that does not say up to where',
    () => changed(compacting, 'compaction', { from: undefined }),
  ],
  [
    'I20',
    'a compaction that nobody asked for',
    () => changed(compacting, 'run-start', { options: {} }),
  ],
  [
    'I20',
    'a compaction between turns',
    () => withAfter(compacting, is('tool-start'), find(compacting, 'compaction')),
  ],
];

const draft = () => find(reflected, 'reflection');
const judged = () => one(reflected, 'model-response', ({ purpose }) => purpose === 'judge');

test('good journals have no fault', () => {
  for (const journal of [plain, approved, reconciled, guarded, reflected, compacting, routed]) {
    expect(journalFaults(journal)).toEqual([]);
    for (const event of journal) expect(journalFaults(journal.slice(0, event.seq))).toEqual([]);
  }
});

test.each([...broken, ...brokenAnswers])('%s: %s', (rule, _story, journal) => {
  const events = journal();
  expect(faultsOf(events)).toContain(rule);
  expect(() => verifyJournal(events)).toThrow(rule);
});

test('I12: more hops than are allowed', () => {
  const child = { ...handoffCall, primitive: 'transfer' } as const;
  const journal = withAfter(plain, is('run-start'), child);
  expect(faultsOf(journal, { maxHops: 0 })).toContain('I12');
  expect(faultsOf(journal, { maxHops: 1 })).not.toContain('I12');
});

test("I15: a tool that is not the agent's", () => {
  expect(faultsOf(plain, { tools: { bot: ['look'] } })).toEqual([]);
  expect(faultsOf(plain, { tools: { bot: [] } })).toContain('I15');
});

test('what it throws names the rules and shows the journal', () => {
  expect(() => verifyJournal(plain.slice(1))).toThrow(/I2 at 2:[\s\S]*model-response/);
});
