import { Agent } from '@agent-functions/core';
import { gate, scriptedModel } from '@agent-functions/core/testing';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { agentServer, type AgentServer } from '../src/index.ts';

const logger = { log: () => undefined };
const answer = z.looseObject({ session_id: z.string(), run_id: z.string() });

function chat(server: AgentServer, body: object, headers: Record<string, string> = {}) {
  return server.fetch(
    new Request('http://agents.test/api/echo/chat', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ message: 'Hi', ...body }),
    }),
  );
}

test('during its first run a conversation has no messages and no agents yet', async () => {
  const held = gate();
  const model = scriptedModel([{ text: 'Late.', before: held }]);
  const server = agentServer({ agents: [new Agent({ name: 'echo', model })], logger });
  const accepted = await chat(server, {}, { prefer: 'respond-async' });
  expect(accepted.status).toBe(202);
  const { session_id, run_id } = answer.parse(await accepted.json());
  const session = async (): Promise<unknown> => {
    const response = await server.fetch(
      new Request(`http://agents.test/api/sessions/${session_id}`),
    );
    return response.json();
  };
  const during = await session();
  expect(during).toMatchObject({ messages: [], active_run: { run_id, status: 'running' } });
  expect(during).not.toHaveProperty('entry_agent');
  expect(during).not.toHaveProperty('active_agent');
  held.open();
  await expect
    .poll(session)
    .toMatchObject({ messages: [{ role: 'user' }, { role: 'assistant' }], entry_agent: 'echo' });
});

test('a conversation over its limits is a 413 that says how it is reset, and reset it has room', async () => {
  const server = agentServer({
    agents: [new Agent({ name: 'echo', model: scriptedModel(() => 'Hello.') })],
    sessionLimits: { messages: 1 },
    logger,
  });
  const { session_id } = answer.parse(await (await chat(server, {})).json());
  const refused = await chat(server, { session_id });
  expect(refused.status).toBe(413);
  expect(await refused.json()).toMatchObject({
    code: 'limit',
    detail: expect.stringContaining('reset_conversation'),
  });
  expect((await chat(server, { session_id, reset_conversation: true })).status).toBe(200);
});

test('a new conversation has an id of 160 bits, one of a key 128, as its run', async () => {
  const server = agentServer({
    agents: [new Agent({ name: 'echo', model: scriptedModel(() => 'Hello.') })],
    logger,
  });
  const { session_id } = answer.parse(await (await chat(server, {})).json());
  expect(session_id).toMatch(/^[0-9a-f]{40}$/);
  const keyed = await chat(server, {}, { 'idempotency-key': 'k'.repeat(32) });
  expect(answer.parse(await keyed.json())).toMatchObject({
    session_id: expect.stringMatching(/^[0-9a-f]{32}$/),
    run_id: expect.stringMatching(/^[0-9a-f]{32}$/),
  });
});
