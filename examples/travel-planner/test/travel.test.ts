import { fileURLToPath } from 'node:url';
import { textOf } from '@agent-functions/core';
import { build, printedByStart, recorder, shownInReadme, startWorker } from 'demo-model/testing';
import { expect, test } from 'vitest';
import { app } from '../src/app.ts';
import { conversation } from '../src/conversation.ts';

const folder = fileURLToPath(new URL('..', import.meta.url));
const path = ['travel_planner', 'flight_agent', 'hotel_agent', 'budget_agent'];

test('npm start has the conversation that the README shows', async () => {
  expect(await printedByStart(folder)).toBe(shownInReadme(folder));
});

test('the demo route answers the plan, and the path that made it', async () => {
  const response = await app.fetch(new Request('http://localhost/api/demo/travel'));
  expect(response.status).toBe(200);
  expect(await response.json()).toMatchObject({
    turns: [
      {
        handoff_path: path,
        hops: path.slice(1).map((to) => ({ from: 'travel_planner', to, primitive: 'chain' })),
        response: expect.stringMatching(
          /Hotel: Nyhavn Quarters .*624 EUR\.\nTotal: 1,052 EUR of 1,200 EUR\. 148 EUR are left/,
        ),
      },
      {
        handoff_path: path,
        response: expect.stringMatching(/Vesterbro Rooms .*\nTotal: .* That is 32 EUR too much\./),
      },
    ],
  });
});

test('each specialist gets the request and the answers before it, and has its own tools', async () => {
  const recording = recorder();
  await app.runners['travel_planner']?.run(conversation[0], { middleware: [recording] });
  expect([...recording.requests.keys()]).toEqual(path.slice(1));
  const first = (agent: string) => recording.requests.get(agent)?.[0];
  expect(first('flight_agent')?.messages.map(textOf)).toEqual([conversation[0]]);
  expect(first('hotel_agent')?.messages.map(textOf)).toEqual([
    conversation[0],
    expect.stringMatching(/^flight_agent answered:\nFlights: .*428 EUR\.$/),
  ]);
  expect(first('budget_agent')?.messages.map(textOf)).toEqual([
    conversation[0],
    expect.stringMatching(/flight_agent answered:\nFlights: [^]*hotel_agent answered:\nHotel: /),
  ]);
  expect(path.slice(1).map((agent) => first(agent)?.tools.map((tool) => tool.name))).toEqual([
    ['search_flights'],
    ['search_hotels'],
    ['check_budget'],
  ]);
});

test('the next request of a session runs through the chain again, and knows the trip', async () => {
  const runner = app.runners['travel_planner'];
  const sessionId = 'again';
  await runner?.run(conversation[0], { sessionId });
  const second = await runner?.run('And with 900 EUR?', { sessionId });
  expect(second?.handoffPath).toEqual(path);
  expect(second?.response).toMatch(/Harbour House .*\nTotal: 870 EUR of 900 EUR\. 30 EUR are left/);
});

test('in a Functions worker the same request makes the same plan', async () => {
  build(folder);
  await using host = await startWorker(folder);
  const response = await fetch(`${host.url}/api/agents/travel_planner/chat`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ message: conversation[0] }),
  });
  expect(await response.json()).toMatchObject({
    status: 'completed',
    handoff_path: path,
    response: expect.stringContaining('Total: 1,052 EUR of 1,200 EUR'),
  });
});
