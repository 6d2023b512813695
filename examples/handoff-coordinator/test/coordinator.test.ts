import { fileURLToPath } from 'node:url';
import { textOf, type Middleware } from '@agent-functions/core';
import { build, printedByStart, recorder, shownInReadme, startWorker } from 'demo-model/testing';
import { expect, test } from 'vitest';
import { app } from '../src/app.ts';
import { conversation } from '../src/conversation.ts';

const folder = fileURLToPath(new URL('..', import.meta.url));
const specialists = ['flight_agent', 'hotel_agent', 'weather_agent', 'restaurant_agent'];
const path = ['travel_coordinator', ...specialists];

test('npm start has the conversation that the README shows', async () => {
  expect(await printedByStart(folder)).toBe(shownInReadme(folder));
});

test('the demo route answers one plan of four answers, and the path', async () => {
  const response = await app.fetch(new Request('http://localhost/api/demo/coordinator'));
  expect(response.status).toBe(200);
  expect(await response.json()).toMatchObject({
    turns: [
      {
        agent: 'travel_coordinator',
        handoff_path: path,
        hops: specialists.map((to) => ({
          from: 'travel_coordinator',
          to,
          primitive: 'call',
          reason: 'the trip to Copenhagen',
        })),
        response: expect.stringMatching(
          /^Zurich to Copenhagen.*\nFlights: .*482 EUR\.\nHotel: .*624 EUR\.\nWeather: Copenhagen: 21 °C.*\nDinner: Havnegrill \(fish\), 92 EUR\.$/,
        ),
      },
      { status: 'completed', handoff_path: path },
    ],
  });
});

test('the specialists of one turn work side by side', async () => {
  const arrived = new Set<string>();
  let open = (): void => undefined;
  const all = new Promise<void>((resolve) => {
    open = resolve;
  });
  // Nobody's model is asked before everybody's is: one after the other would wait for ever.
  const gate: Middleware = {
    name: 'gate',
    async *wrapModelCall(request, { agentPath }, next) {
      const agent = agentPath.at(-1) ?? '';
      if (specialists.includes(agent)) {
        arrived.add(agent);
        if (arrived.size === specialists.length) open();
        await all;
      }
      yield* next(request);
    },
  };
  const result = await app.runners['travel_coordinator']?.run(conversation[0], {
    middleware: [gate],
  });
  expect(result?.status).toBe('completed');
});

test('each specialist gets its request only, the coordinator all their answers', async () => {
  const recording = recorder();
  const middleware = [recording];
  await app.runners['travel_coordinator']?.run(conversation[0], { middleware });
  const first = (agent: string) => recording.requests.get(agent)?.[0];
  expect(specialists.map((agent) => first(agent)?.messages.map(textOf))).toEqual([
    ['Flights from Zurich to Copenhagen for 2 people, 2027-07-08 to 2027-07-11'],
    ['A hotel for a trip from Zurich to Copenhagen, 2 people, 2027-07-08 to 2027-07-11'],
    ['What is the weather in Copenhagen?'],
    ['Dinner in Copenhagen for 2 people on 2027-07-08'],
  ]);
  expect(first('hotel_agent')?.tools.map((tool) => tool.name)).toEqual(['search_hotels']);
  const asked = recording.requests.get('travel_coordinator');
  expect(asked).toHaveLength(2);
  expect(
    asked?.[1]?.messages.at(-1)?.parts.map((part) => part.type === 'tool-result' && part.output),
  ).toEqual(
    ['Flights: ', 'Hotel: ', 'Weather: ', 'Dinner: '].map((start) => ({
      type: 'json',
      value: expect.stringContaining(start),
    })),
  );
});

test('a specialist that fails is an error to the coordinator, whose plan says so and has the rest', async () => {
  const result = await app.runners['travel_coordinator']?.run(
    'Two people, from Zurich to Chicago, 7 to 11 July 2027.',
  );
  expect(result?.status).toBe('completed');
  expect(result?.toolResults.map(({ isError }) => isError)).toContain(true);
  expect(result?.response).toMatch(/Flights: .*\nHotel: .*\nWeather: .*\nMissing: /);
  expect(result?.response).toContain('The restaurant guide has no page of Chicago.');
});

test('in a Functions worker the same request makes the same plan, as an event stream too', async () => {
  build(folder);
  await using host = await startWorker(folder);
  const ask = (accept: string): Promise<Response> =>
    fetch(`${host.url}/api/agents/travel_coordinator/chat`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept },
      body: JSON.stringify({ message: conversation[0] }),
    });
  expect(await (await ask('application/json')).json()).toMatchObject({
    status: 'completed',
    handoff_path: path,
    response: expect.stringContaining('Dinner: Havnegrill'),
  });
  const stream = await (await ask('text/event-stream')).text();
  expect(stream.match(/^event: handoff$/gm)).toHaveLength(4);
});
