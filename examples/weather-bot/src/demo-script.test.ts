import type { ToolExchange } from 'demo-model';
import { expect, test } from 'vitest';
import { demoAnswer, demoQuestions } from './demo-script.ts';

const seattle = {
  city: 'Seattle',
  temperatureC: 16.1,
  conditions: 'mostly clear',
  windKmh: 7,
  humidityPercent: 64,
  source: 'bundled observation of 2019-07-01',
};

const seen = (output: unknown): ToolExchange => ({
  tool: 'get_current_weather',
  input: { city: 'Seattle' },
  output: JSON.stringify(output),
});

const ask = (
  question: string,
  results: readonly ToolExchange[] = [],
  earlier: readonly ToolExchange[] = [],
) => demoAnswer({ question, results, earlier });

test('a question for the weather of a city calls the tool, and the answer is what the tool said', () => {
  expect(ask('What is the weather in Seattle?')).toEqual({
    calls: [{ tool: 'get_current_weather', input: { city: 'Seattle' } }],
  });
  expect(ask('What is the weather in Seattle?', [seen(seattle)])).toEqual({
    text: 'Seattle: 16.1 °C, mostly clear, wind 7 km/h, humidity 64 % (bundled observation of 2019-07-01).',
  });
});

test.for([
  ["What's the weather like in New York today?", ['New York']],
  ['Compare the weather in Seattle and Zurich', ['Seattle', 'Zurich']],
  ['weather for Tel Aviv, please', ['Tel Aviv']],
  ['How cold is it in Ulaanbaatar right now?', ['Ulaanbaatar']],
])('%s asks for %j', ([question, cities]) => {
  expect(ask(String(question))).toEqual({
    calls: [cities].flat().map((city) => ({ tool: 'get_current_weather', input: { city } })),
  });
});

test.for([
  ['Convert 20 celsius to fahrenheit', 20, 'celsius', 'fahrenheit'],
  ['What is -40 °F in C?', -40, 'fahrenheit', 'celsius'],
  ['0 K in degrees Celsius', 0, 'kelvin', 'celsius'],
])('%s is a conversion', ([question, temperature, from, to]) => {
  expect(ask(String(question))).toEqual({
    calls: [{ tool: 'convert_temperature', input: { temperature, from, to } }],
  });
});

test('advice looks at the weather first', () => {
  const question = 'What should I wear in Seattle?';
  expect(ask(question)).toMatchObject({ calls: [{ tool: 'get_current_weather' }] });
  expect(ask(question, [seen(seattle)])).toEqual({
    calls: [
      {
        tool: 'get_weather_advice',
        input: { temperatureC: 16.1, conditions: 'mostly clear', windKmh: 7 },
      },
    ],
  });
});

test('a follow-up speaks of what was seen before', () => {
  expect(ask('And in Fahrenheit?', [], [seen(seattle)])).toEqual({
    calls: [
      {
        tool: 'convert_temperature',
        input: { temperature: 16.1, from: 'celsius', to: 'fahrenheit' },
      },
    ],
  });
});

test('a tool that failed is said to have failed', () => {
  const answer = ask('What is the weather in Atlantis?', [
    {
      tool: 'get_current_weather',
      input: { city: 'Atlantis' },
      output: 'No place named Atlantis.',
    },
  ]);
  expect(answer).toMatchObject({ text: expect.stringContaining('No place named Atlantis.') });
});

test('any other question is told that this is the demo, what it knows and how to connect a model', () => {
  const answer = ask('Write a poem about databases.');
  expect(answer).toMatchObject({ text: expect.stringContaining('offline demo') });
  expect(answer).toMatchObject({ text: expect.stringContaining('OPENAI_API_KEY') });
  for (const question of demoQuestions) {
    expect(answer).toMatchObject({ text: expect.stringContaining(question) });
  }
});
