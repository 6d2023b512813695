import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';

const folder = fileURLToPath(new URL('..', import.meta.url));
const offline = { WEATHER_SOURCE: 'bundled', OLLAMA_HOST: '127.0.0.1:1' };

beforeAll(() => {
  execFileSync(process.execPath, ['build.mjs'], { cwd: folder, stdio: 'pipe' });
}, 60_000);

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
  const worker = spawn(process.execPath, [`${folder}/test/functions-worker.ts`], {
    cwd: folder,
    env: { PATH: process.env['PATH'], ...offline },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const host = await firstJson(worker.stdout);
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
  } finally {
    worker.kill('SIGTERM');
    await once(worker, 'exit');
  }
});

interface HostLine {
  readonly url: string;
  readonly streams: boolean;
  readonly routes: readonly { readonly route: string }[];
}

async function firstJson(output: NodeJS.ReadableStream): Promise<HostLine> {
  for await (const line of createInterface({ input: output })) {
    if (line.startsWith('{"url"')) return JSON.parse(line);
  }
  throw new Error('The worker ended without serving.');
}
