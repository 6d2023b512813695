import {
  Agent,
  memoryStore,
  ModelError,
  Runner,
  type RunEvent,
  type Watched,
} from '@agent-functions/core';
import { collect, scriptedModel, type Script } from '@agent-functions/core/testing';
import { describe, expect, it } from 'vitest';
import { answerOf, folded } from '../../test/official.ts';
import { taskState } from './task-state.ts';
import { begun, next, viewOf } from './task-view.ts';
import { taskOf, type TaskView } from './task-wire.ts';

async function watched(agent: Agent): Promise<{
  readonly events: readonly Watched[];
  readonly journal: readonly RunEvent[];
}> {
  const store = memoryStore();
  const stream = new Runner(agent, { store }).stream('Go.');
  const events = await collect(stream);
  return { events, journal: await collect(store.runs.read(stream.runId)) };
}

/** What a client that saw everything makes of it, beside what everybody reads. */
function both(events: readonly Watched[], journal: readonly RunEvent[]) {
  let view: TaskView | undefined;
  const updates = events.flatMap((event) => {
    if (view === undefined) {
      if ('seq' in event && event.type === 'run-start') view = begun(event);
      return [];
    }
    const seen = next(view, event);
    view = seen.view;
    return seen.updates;
  });
  const whole = viewOf(journal);
  if (whole === undefined) throw new Error('The journal is empty.');
  const task = taskOf(whole);
  return { client: folded(updates), task };
}

const scripts: Readonly<Record<string, Script>> = {
  'an answer': ['It rains.'],
  'an answer in many pieces': ['It rains in Oslo, as it does on most days of this month.'],
  'text beside a call, then an answer': [
    { text: 'Let me see.', calls: [['no_such_tool', {}]] },
    'It rains.',
  ],
  'a model that starts over': [
    {
      events: [
        { type: 'text-delta', delta: 'It sn' },
        {
          type: 'restart',
          reason: 'network',
          attempt: 1,
          afterMs: 0,
          from: { provider: 'a', modelId: 'b' },
        },
      ],
      text: 'It rains.',
    },
  ],
  'text that is not what was recorded': [
    {
      events: [{ type: 'text-delta', delta: 'Something else' }],
      parts: [{ type: 'text', text: 'It rains.' }],
    },
  ],
};

describe.each(Object.entries(scripts))('%s', (_name, script) => {
  it('is the same to who followed it and to who reads it later', async () => {
    const { events, journal } = await watched(
      new Agent({ name: 'bot', model: scriptedModel(script) }),
    );
    const { client, task } = both(events, journal);
    expect(client.answer).toBe(answerOf(task));
    expect(client.states.at(-1)).toBe(task.status?.state);
    expect(task.status?.state).toBe(taskState.completed);
    expect(client.artifactIds.length).toBeLessThanOrEqual(1);
  });

  it('is the same from durable events alone', async () => {
    const { journal } = await watched(new Agent({ name: 'bot', model: scriptedModel(script) }));
    const { client, task } = both(journal, journal);
    expect(client.answer).toBe(answerOf(task));
  });
});

it('what is said beside a call is a message of the task, and no part of its answer', async () => {
  const { journal } = await watched(
    new Agent({
      name: 'bot',
      model: scriptedModel(scripts['text beside a call, then an answer'] ?? []),
    }),
  );
  const { task } = both(journal, journal);
  expect(task.history.map(({ role, parts }) => [role, parts[0]?.content?.value])).toEqual([
    [1, 'Go.'],
    [2, 'Let me see.'],
  ]);
  expect(answerOf(task)).toBe('It rains.');
});

it('a run that fails is a failed task that says why, without the inside', async () => {
  const error = new ModelError('secret-host refused key sk-1', { reason: 'authentication' });
  const { events, journal } = await watched(
    new Agent({
      name: 'bot',
      model: scriptedModel(() => ({ events: [{ type: 'text-delta', delta: 'Half' }], error })),
    }),
  );
  const { client, task } = both(events, journal);
  expect(task.status?.state).toBe(taskState.failed);
  expect(JSON.stringify(task)).not.toMatch(/secret-host|sk-1/);
  expect([client.answer, task.artifacts]).toEqual(['', []]);
});

it('a run that stops at a limit is a failed task that names it', async () => {
  const model = scriptedModel(() => ({ calls: [['no_such_tool', {}]] }));
  const { journal } = await watched(new Agent({ name: 'bot', model, maxTurns: 2 }));
  const { task } = both(journal, journal);
  expect(task.status?.state).toBe(taskState.failed);
  expect(JSON.stringify(task.status?.message)).toMatch(/max_turns/);
});

it('what agents say that were asked as tools is not the answer', async () => {
  const helper = new Agent({ name: 'helper', model: scriptedModel(() => 'Inner words.') });
  const model = scriptedModel([{ calls: [['helper', { message: 'Help.' }]] }, 'Outer words.']);
  const { events, journal } = await watched(
    new Agent({ name: 'bot', model, tools: [helper.asTool()] }),
  );
  const { client, task } = both(events, journal);
  expect([client.answer, answerOf(task)]).toEqual(['Outer words.', 'Outer words.']);
  expect(JSON.stringify(task)).not.toContain('Inner');
});

it('whom a handoff transferred to speaks for the task', async () => {
  const expert = new Agent({
    name: 'expert',
    description: 'Knows.',
    model: scriptedModel(() => 'Expert words.'),
  });
  const model = scriptedModel([{ calls: [['handoff_to_expert', { message: 'Take over.' }]] }]);
  const { events, journal } = await watched(new Agent({ name: 'bot', model, handoffs: [expert] }));
  const { client, task } = both(events, journal);
  expect([client.answer, answerOf(task)]).toEqual(['Expert words.', 'Expert words.']);
});
