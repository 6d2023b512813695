import { expect, test } from 'vitest';
import { journalOf } from '../test/engine.ts';
import { Agent } from './agent.ts';
import type { Principal } from './events.ts';
import { handoff } from './handoff.ts';
import { memoryStore } from './memory-store.ts';
import { Runner } from './runner.ts';
import type { Store } from './store.ts';
import { collect, gate, scriptedModel } from './testing/index.ts';

// Every way into a session: who may, and when it is closed or busy.

function runnerOn(store: Store) {
  const bills = new Agent({ name: 'bills', model: scriptedModel(() => 'Bills here.') });
  const model = scriptedModel(() => 'Hello.');
  return new Runner(new Agent({ name: 'desk', model, handoffs: [handoff(bills)] }), { store });
}

type Entry = (
  runner: ReturnType<typeof runnerOn>,
  principal: Principal | undefined,
) => Promise<unknown>;

/** What begins a run in session s. */
const begins: { readonly [name: string]: Entry } = {
  run: (runner, principal) => runner.run('Hi', { sessionId: 's', principal }),
  'run with conversationId': (runner, principal) =>
    runner.run({ message: 'Hi', conversationId: 's' }, { principal }),
  'run with a key': (runner, principal) =>
    runner.run('Hi', { sessionId: 's', principal, idempotencyKey: 'k'.repeat(32) }),
  stream: (runner, principal) => collect(runner.stream('Hi', { sessionId: 's', principal })),
  'started of a stream': (runner, principal) =>
    runner.stream('Hi', { sessionId: 's', principal }).started,
  start: (runner, principal) => runner.start('Hi', { sessionId: 's', principal }),
  handoffTo: (runner, principal) =>
    runner.handoffTo(
      { targetAgent: 'bills', inputData: 'A bill.', conversationId: 's' },
      { principal },
    ),
};
const entries: { readonly [name: string]: Entry } = {
  ...begins,
  resetConversation: (runner, principal) => runner.resetConversation('s', { principal }),
  deleteSession: (runner, principal) => runner.deleteSession('s', { principal }),
};

const ann = { id: 'ann' };

async function sessionOfAnn(change: { readonly closed?: boolean } = {}): Promise<Store> {
  const store = memoryStore();
  await runnerOn(store).run('Hi', { sessionId: 's', principal: ann });
  if (change.closed !== undefined) {
    const { version } = await store.sessions.load('s');
    await store.sessions.commit('s', change, { expectedVersion: version, operationId: 'change' });
  }
  return store;
}

/** What a refusal must leave as it is. */
async function look(store: Store): Promise<unknown> {
  const { runs } = await store.runs.list({ limit: 9 });
  return { session: await store.sessions.load('s'), runs };
}

test.each(Object.entries(entries))(
  "%s: somebody else's session is not there, closed or open, and stays as it is",
  async (_name, enter) => {
    for (const closed of [false, true]) {
      const store = await sessionOfAnn({ closed });
      const before = await look(store);
      for (const principal of [{ id: 'bob' }, undefined]) {
        await expect(enter(runnerOn(store), principal)).rejects.toMatchObject({
          code: 'not_found',
          message: 'There is no session s.',
        });
      }
      expect(await look(store)).toEqual(before);
    }
  },
);

test.each(Object.entries(begins))('%s: a closed session takes no run', async (_name, enter) => {
  const store = await sessionOfAnn({ closed: true });
  const before = await look(store);
  await expect(enter(runnerOn(store), ann)).rejects.toMatchObject({ code: 'session_closed' });
  expect(await look(store)).toEqual(before);
});

test.each(Object.entries(entries))(
  '%s: a busy session is left to its run',
  async (_name, enter) => {
    const there = gate();
    const store = memoryStore();
    const model = scriptedModel([{ before: there, text: 'First.' }]);
    const running = new Runner(new Agent({ name: 'desk', model }), { store }).run('One', {
      sessionId: 's',
      principal: ann,
    });
    await there.reached;
    const { activeRunId } = await store.sessions.load('s');
    await expect(enter(runnerOn(store), ann)).rejects.toMatchObject({
      code: 'session_busy',
      activeRunId,
    });
    there.open();
    const { runId, status } = await running;
    expect(status).toBe('completed');
    expect((await store.sessions.load('s')).messages).toHaveLength(2);
    await journalOf(store, runId);
  },
);

test('its owner resets a closed session, and goes on; deletes it, and it is gone with its runs', async () => {
  const store = await sessionOfAnn({ closed: true });
  const runner = runnerOn(store);
  const options = { principal: ann };
  await runner.resetConversation('s', options);
  const again = await runner.run('Hi', { sessionId: 's', ...options });
  expect(again.messages).toHaveLength(2);
  await runner.deleteSession('s', options);
  expect(await store.sessions.load('s')).toMatchObject({ version: '0', messages: [] });
  expect(await runner.get(again.runId)).toBeUndefined();
  expect((await store.runs.list({ limit: 9 })).runs).toEqual([]);
  await expect(runner.deleteSession('s', options)).rejects.toMatchObject({ code: 'not_found' });
  // The id is free: whoever uses it next owns what begins.
  const bob = { sessionId: 's', principal: { id: 'bob' } };
  expect((await runner.run('Hi', bob)).messages).toHaveLength(2);
});

test('a session without an owner belongs to the first who comes with a name', async () => {
  const store = memoryStore();
  const runner = runnerOn(store);
  await runner.run('Hi', { sessionId: 's' });
  await runner.run('Hi', { sessionId: 's', principal: ann });
  await expect(runner.run('Hi', { sessionId: 's' })).rejects.toMatchObject({ code: 'not_found' });
  expect(await store.sessions.load('s')).toMatchObject({ owner: 'ann' });
});
