import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Dev } from '../../../packages/cli/test/dev-process.ts';
import { demoQuestions } from '../src/demo-script.ts';

const folder = fileURLToPath(new URL('..', import.meta.url));

/** No service, no Ollama: what a machine without internet sees. */
const offline = { WEATHER_SOURCE: 'bundled', OLLAMA_HOST: '127.0.0.1:1' };

let dev: Dev;
let url = '';
beforeAll(async () => {
  dev = new Dev(['dev', 'src/app.ts', '--port', '0', '--store', 'memory'], {
    cwd: folder,
    env: offline,
  });
  url = await dev.url();
});
afterAll(async () => dev[Symbol.asyncDispose]());

interface Answer {
  readonly status: string;
  readonly response: string;
  readonly session_id: string;
  readonly tool_results: readonly {
    readonly tool: string;
    readonly arguments: unknown;
    readonly result: unknown;
    readonly is_error: boolean;
  }[];
  readonly usage: { readonly total_tokens: number; readonly requests: number };
}

async function ask(message: string, more: Readonly<Record<string, unknown>> = {}): Promise<Answer> {
  const response = await fetch(`${url}/api/agents/weather_bot/chat`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ message, ...more }),
  });
  const text = await response.text();
  expect(response.status, text).toBe(200);
  return JSON.parse(text);
}

test('the log says that it is the offline demo', async () => {
  await dev.says(/offline demo model/);
});

test('the agent is listed', async () => {
  const response = await fetch(`${url}/api/agents`);
  expect(await response.json()).toMatchObject({ agents: [{ name: 'weather_bot' }], total: 1 });
});

test('the weather in Seattle is what the tool said, and says how old it is', async () => {
  const answer = await ask('What is the weather in Seattle?');
  expect(answer.status).toBe('completed');
  expect(answer.tool_results).toEqual([
    {
      call_id: 'f0.t1.c1',
      tool: 'get_current_weather',
      arguments: { city: 'Seattle' },
      result: {
        city: 'Seattle',
        country: 'United States',
        temperatureC: 16.1,
        humidityPercent: 64,
        windKmh: 7,
        conditions: 'mostly clear',
        observedAt: '2019-07-01T11:53Z',
        source: 'bundled observation of 2019-07-01',
      },
      is_error: false,
    },
  ]);
  expect(answer.response).toContain('Seattle: 16.1 °C, mostly clear');
  expect(answer.response).toContain('bundled observation of 2019-07-01');
  expect(answer.usage.total_tokens).toBeGreaterThan(0);
  expect(answer.usage.requests).toBe(2);
});

test('a conversion is calculated by the tool', async () => {
  const answer = await ask('Convert 20 celsius to fahrenheit');
  expect(answer.response).toBe('20 celsius is 68 fahrenheit.');
  expect(answer.tool_results).toMatchObject([
    { tool: 'convert_temperature', result: { temperature: 68 } },
  ]);
});

test('advice takes two tools, one after the other', async () => {
  const answer = await ask('What should I wear in Copenhagen?');
  expect(answer.tool_results.map((each) => each.tool)).toEqual([
    'get_current_weather',
    'get_weather_advice',
  ]);
  expect(answer.response).toContain('Copenhagen: 21 °C');
  expect(answer.response).toContain('something windproof');
  expect(answer.usage.requests).toBe(3);
});

test('two cities are two calls of one turn', async () => {
  const answer = await ask('Compare the weather in Seattle and Zurich');
  expect(answer.tool_results.map((each) => each.arguments)).toEqual([
    { city: 'Seattle' },
    { city: 'Zurich' },
  ]);
  expect(answer.response).toMatch(/Seattle: 16\.1 °C.*Zurich: 31 °C/);
  expect(answer.usage.requests).toBe(2);
});

test('a follow-up in the same session knows what was seen', async () => {
  const first = await ask('What is the weather in Seattle?');
  const second = await ask('And in Fahrenheit?', { session_id: first.session_id });
  expect(second.response).toBe('16.1 celsius is 60.98 fahrenheit.');
  expect(second.session_id).toBe(first.session_id);
});

test('a city nobody observed is an error that the answer repeats', async () => {
  const answer = await ask('What is the weather in Atlantis?');
  expect(answer.tool_results).toMatchObject([{ is_error: true }]);
  expect(answer.response).toContain('no bundled observation of Atlantis');
});

test('any other question is told that this is the demo', async () => {
  const answer = await ask('Write a poem about databases.');
  expect(answer.response).toContain('This is the offline demo');
  expect(answer.response).toContain('OPENAI_API_KEY');
  expect(answer.tool_results).toEqual([]);
});

test('as an event stream the text comes in pieces that make up the answer', async () => {
  const response = await fetch(`${url}/api/agents/weather_bot/chat`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({ message: demoQuestions[0] }),
  });
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  const events = (await response.text()).split('\n\n').flatMap((block) => {
    const type = /^event: (.*)$/m.exec(block)?.[1];
    const data = /^data: (.*)$/m.exec(block)?.[1];
    return type === undefined || data === undefined ? [] : [{ type, data: JSON.parse(data) }];
  });
  const deltas = events.filter((event) => event.type === 'text-delta');
  expect(deltas.length).toBeGreaterThan(3);
  expect(deltas.map((event) => event.data.delta).join('')).toContain('Seattle: 16.1 °C');
  expect(events.map((event) => event.type)).toContain('tool-result');
  expect(events.at(-1)).toMatchObject({ type: 'run-end', data: { status: 'completed' } });
});
