import { readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build, startWorker } from 'demo-model/testing';
import { beforeAll, expect, test } from 'vitest';

const folder = fileURLToPath(new URL('..', import.meta.url));

beforeAll(() => build(folder), 60_000);

test('the bundle is the main of the package, one file, without the demo', () => {
  const manifest: { main?: string } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'));
  expect(manifest.main).toBe('dist/main.mjs');
  const text = readFileSync(`${folder}/dist/main.mjs`, 'utf8');
  expect(text).toContain('import("demo-model/server")');
  expect(statSync(`${folder}/dist/main.mjs`).size).toBeLessThan(5_000_000);
});

test('host.json has the route prefix that the app counts on', () => {
  const host: unknown = JSON.parse(readFileSync(`${folder}/host.json`, 'utf8'));
  expect(host).toMatchObject({ version: '2.0', extensions: { http: { routePrefix: '' } } });
});

test('in a worker the bundle registers its functions and answers, with tools, as JSON and as a stream', async () => {
  await using host = await startWorker(folder);
  expect(host.streams).toBe(true);
  expect(host.routes.map((each) => each.route)).toContain('api/health');

  const ask = (accept: string): Promise<Response> =>
    fetch(`${host.url}/api/agents/weather_bot/chat`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept },
      body: JSON.stringify({ message: 'What is the weather in Seattle?' }),
    });
  const json = await ask('application/json');
  expect(json.status).toBe(200);
  expect(await json.json()).toMatchObject({
    status: 'completed',
    response: expect.stringContaining('Seattle: 16.1 °C'),
    tool_results: [{ tool: 'get_current_weather', is_error: false }],
  });
  const stream = await (await ask('text/event-stream')).text();
  expect(stream).toContain('event: text-delta');
  expect(stream).toContain('event: run-end');
});
