import { fileURLToPath } from 'node:url';
import { textOf } from '@agent-functions/core';
import { build, printedByStart, recorder, shownInReadme, startWorker } from 'demo-model/testing';
import { expect, test } from 'vitest';
import { app } from '../src/app.ts';
import { conversation } from '../src/conversation.ts';

const folder = fileURLToPath(new URL('..', import.meta.url));

test('npm start has the conversation that the README shows', async () => {
  expect(await printedByStart(folder)).toBe(shownInReadme(folder));
});

test('the demo route answers who spoke, and the path of each turn with its reasons', async () => {
  const response = await app.fetch(new Request('http://localhost/api/demo/swarm'));
  expect(response.status).toBe(200);
  expect(await response.json()).toMatchObject({
    turns: [
      {
        agent: 'weather_agent',
        response:
          'Copenhagen: 21 °C, mostly cloudy, wind 31 km/h, humidity 53 % (bundled observation of 2019-07-01).',
        handoff_path: ['weather_agent'],
        hops: [],
      },
      {
        agent: 'converter_agent',
        response: '21 celsius is 69.8 fahrenheit.',
        handoff_path: ['weather_agent', 'converter_agent'],
        hops: [
          {
            from: 'weather_agent',
            to: 'converter_agent',
            primitive: 'transfer',
            reason: 'a conversion',
          },
        ],
      },
      {
        agent: 'advisor_agent',
        response: expect.stringContaining('something windproof'),
        handoff_path: ['converter_agent', 'advisor_agent'],
      },
      {
        agent: 'advisor_agent',
        response: 'Seattle, 16.1 °C: Take a light jacket.',
        handoff_path: ['advisor_agent', 'weather_agent', 'advisor_agent'],
        hops: [{ reason: 'no weather of Seattle yet' }, { reason: 'the weather is known' }],
      },
    ],
  });
});

test('the demo route takes another conversation, and refuses what is none', async () => {
  const post = (body: unknown): Promise<Response> =>
    app.fetch(
      new Request('http://localhost/api/demo/swarm', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    );
  const answer = await post({ messages: ['Convert 20 celsius to fahrenheit'] });
  expect(await answer.json()).toMatchObject({
    turns: [
      {
        response: '20 celsius is 68 fahrenheit.',
        handoff_path: ['weather_agent', 'converter_agent'],
      },
    ],
  });
  expect((await post({ messages: [] })).status).toBe(400);
});

test('who takes over gets what was said, its own instructions and its own tools', async () => {
  const runner = app.runners['weather_agent'];
  const sessionId = 'own-tools';
  await runner?.run(conversation[0], { sessionId });
  const recording = recorder();
  await runner?.run(conversation[1], { sessionId, middleware: [recording] });
  const [asked] = recording.requests.get('converter_agent') ?? [];
  expect(asked?.instructions).toContain('You convert temperatures');
  expect(asked?.tools.map((tool) => tool.name)).toEqual([
    'convert_temperature',
    'handoff_to_weather_agent',
    'handoff_to_advisor_agent',
  ]);
  expect(asked?.messages.map(textOf).filter((text) => text !== '')).toEqual([
    conversation[0],
    expect.stringContaining('Copenhagen: 21 °C'),
    conversation[1],
    `weather_agent handed this conversation over to you: ${conversation[1]}`,
  ]);
});

test('the next turn goes to whoever had the word last', async () => {
  const runner = app.runners['weather_agent'];
  const sessionId = 'sticky';
  await runner?.run(conversation[0], { sessionId });
  await runner?.run(conversation[1], { sessionId });
  const recording = recorder();
  const third = await runner?.run('And in Kelvin?', { sessionId, middleware: [recording] });
  expect(third?.response).toBe('21 celsius is 294.15 kelvin.');
  expect([...recording.requests.keys()]).toEqual(['converter_agent']);
});

test('in a Functions worker the same conversation takes the same path', async () => {
  build(folder);
  await using host = await startWorker(folder);
  const response = await fetch(`${host.url}/api/demo/swarm`);
  const { turns }: { turns: { handoff_path: string[] }[] } = JSON.parse(await response.text());
  expect(turns.map((turn) => turn.handoff_path.length)).toEqual([1, 2, 2, 3]);
});
