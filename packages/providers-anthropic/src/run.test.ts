import { Agent, jsonSchema, run, tool } from '@agent-functions/core';
import { streamAnswer, type WireServer } from '@agent-functions/core/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { claude } from '../test/ask.ts';
import { call, start, stop, text, thinking } from '../test/wire-events.ts';
import { wireServer } from '../test/wire-server.ts';

let server: WireServer;
beforeEach(async () => (server = await wireServer()));
afterEach(() => server.close());

test('an agent thinks, calls two tools, and goes on with its signed thoughts and their results', async () => {
  const calls = [
    ...call(1, 'toolu_a', 'get_weather', '{"city":"Oslo"}'),
    ...call(2, 'toolu_b', 'get_weather', '{"city":"Rome"}'),
  ];
  const first = [start(), ...thinking(0, 'Two cities.', 'sig-1'), ...calls, ...stop('tool_use')];
  const second = [start({ id: 'msg_2' }), ...text(0, 'Rain in both.'), ...stop('end_turn')];
  server.play((response, request) =>
    streamAnswer((JSON.parse(request.body).messages.length > 1 ? second : first).join(''))(
      response,
      request,
    ),
  );
  const weather = tool({
    name: 'get_weather',
    description: 'The weather of a city, now.',
    parameters: jsonSchema(
      {
        type: 'object',
        properties: { city: { type: 'string' } },
        required: ['city'],
        additionalProperties: false,
      },
      { validate: (value) => value },
    ),
    execute: (input) => `rain for ${JSON.stringify(input)}`,
  });
  const agent = new Agent({
    name: 'assistant',
    instructions: 'Be brief.',
    model: claude(server),
    tools: [weather],
  });
  const result = await run(agent, 'Oslo and Rome?');
  expect(result.finalOutput).toBe('Rain in both.');
  expect(result.usage).toMatchObject({ requests: 2, cachedInputTokens: 16, reasoningTokens: 8 });
  const [one, two] = server.received.map(({ body }) => JSON.parse(body));
  expect(two.tools).toEqual(one.tools);
  expect(two.messages).toMatchObject([
    { role: 'user', content: [{ text: 'Oslo and Rome?' }] },
    {
      role: 'assistant',
      content: [
        { type: 'thinking', thinking: 'Two cities.', signature: 'sig-1' },
        { type: 'tool_use', id: 'toolu_a', input: { city: 'Oslo' } },
        { type: 'tool_use', id: 'toolu_b', input: { city: 'Rome' } },
      ],
    },
    {
      role: 'user',
      content: [
        { type: 'tool_result', tool_use_id: 'toolu_a', content: 'rain for {"city":"Oslo"}' },
        { type: 'tool_result', tool_use_id: 'toolu_b', content: 'rain for {"city":"Rome"}' },
      ],
    },
  ]);
});
