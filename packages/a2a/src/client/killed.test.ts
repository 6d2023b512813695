import { Agent } from '@agent-functions/core';
import { collect } from '@agent-functions/core/testing';
import { describe, expect, test } from 'vitest';
import { everyDeath, killed } from '../../test/killed.ts';
import { ourServer } from '../../test/our-server.ts';
import { plainServer, type PlainServer } from '../../test/plain-server.ts';
import { teller } from '../../test/teller.ts';
import { remoteAgent } from './remote-agent.ts';

// Killed at every write and finished by another process, the remote agent sees one task and each message once.

interface Role {
  readonly role: string;
  readonly make: (url: string) => Agent;
  readonly response: string;
}

const plain = (url: string) => remoteAgent(url, { name: 'plain', description: 'Converts.' });

const roles: readonly Role[] = [
  {
    role: 'a tool',
    make: (url) =>
      new Agent({ name: 'asker', model: teller('plain'), tools: [plain(url).asTool()] }),
    response: 'It says: You said the euro.',
  },
  {
    role: 'a coordinator target',
    make: (url) =>
      new Agent({
        name: 'coordinator',
        model: teller('handoff_to_plain'),
        handoffConfig: { mode: 'coordinator', targets: [{ agent: plain(url) }] },
      }),
    response: 'It says: You said the euro.',
  },
  {
    role: 'a swarm target',
    make: (url) =>
      new Agent({
        name: 'triage',
        model: teller('handoff_to_plain'),
        handoffConfig: { mode: 'swarm', targets: [{ agent: plain(url) }] },
      }),
    response: 'You said the euro.',
  },
  {
    role: 'a sequential step',
    make: (url) =>
      new Agent({
        name: 'chain',
        handoffConfig: {
          mode: 'sequential',
          targets: [
            { agent: plain(url) },
            { agent: new Agent({ name: 'writer', model: teller() }) },
          ],
        },
      }),
    response: 'Heard: plain answered:\nYou said the euro.',
  },
];

/** Both are killed at about the same places: taken in turns. */
const bindings = ['JSONRPC', 'HTTP+JSON'] as const;

describe.each(roles)('$role', ({ make, response }) => {
  test(
    'an agent with ListTasks sees one task, and each message once',
    { timeout: 60_000 },
    async () => {
      const survived = await everyDeath(async (death) => {
        await using server = await plainServer({ binding: bindings[death.write % 2] });
        const end = await killed(() => make(server.url), 'ask it', death);
        if (typeof end === 'string') return end;
        expect(end.result.error, `${death.when} write ${death.write}`).toBeUndefined();
        expect(end.result.response).toBe(response);
        expectOneTask(server);
        return end;
      });
      expect(survived).toBeGreaterThan(10);
    },
  );

  test('a server of this library sees one task', { timeout: 60_000 }, async () => {
    await everyDeath(async (death) => {
      await using server = await ourServer();
      const end = await killed(() => make(server.url), 'ask it', death);
      if (typeof end === 'string') return end;
      expect(end.result.error, `${death.when} write ${death.write}`).toBeUndefined();
      expect(end.result.response).toBe(response);
      const runs = await server.runs();
      expect(runs).toHaveLength(1);
      const [{ runId } = { runId: '' }] = runs;
      const answers = await collect(server.store.runs.read(runId));
      expect(answers.filter(({ type }) => type === 'decision')).toHaveLength(1);
      return end;
    });
  });

  test(
    'without ListTasks, a message of which nobody knows is not sent again',
    { timeout: 60_000 },
    async () => {
      let unknown = 0;
      await everyDeath(async (death) => {
        await using server = await plainServer({ protocol: '0.3' });
        const end = await killed(() => make(server.url), 'ask it', death);
        if (typeof end === 'string') return end;
        const settled = end.journal.find(
          (event) => event.type === 'tool-result' && event.how === 'unknown-outcome',
        );
        if (settled === undefined) {
          expect(end.result.response).toBe(response);
          expectOneTask(server);
        } else {
          unknown += 1;
          const said = JSON.stringify([end.result.response, end.result.error]);
          expect(said).toContain('Nobody knows whether send_to_plain happened');
          expect(server.agent.messages.length).toBeLessThanOrEqual(1);
        }
        return end;
      });
      expect(unknown).toBeGreaterThan(0);
    },
  );
});

function expectOneTask({ agent }: PlainServer): void {
  expect(agent.taskIds.size).toBe(1);
  const ids = agent.messages.map(({ messageId }) => messageId);
  expect(ids).toHaveLength(2);
  expect(new Set(ids).size).toBe(2);
}
