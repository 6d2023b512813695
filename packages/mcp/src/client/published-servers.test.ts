import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { eventually, HttpServerProcess, published, tellPid } from '../../test/client/processes.ts';
import { called, callOne, listed } from '../../test/client/runs.ts';
import { MCPServer, mcpTools } from './mcp-server.ts';
import { MCPServerMode } from './mode.ts';
import type { McpSource } from './source.ts';

const everything = [
  'echo',
  'get-annotated-message',
  'get-env',
  'get-resource-links',
  'get-resource-reference',
  'get-structured-content',
  'get-sum',
  'get-tiny-image',
  'gzip-file-as-resource',
  'toggle-simulated-logging',
  'toggle-subscriber-updates',
  'trigger-long-running-operation',
];

const open: McpSource[] = [];
function opened(source: McpSource): McpSource {
  open.push(source);
  return source;
}
afterEach(async () => {
  await Promise.all(open.splice(0).map((source) => source.close()));
});

let folder = '';
let pidFile = '';
const http: { [mode: string]: HttpServerProcess } = {};
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mcp-'));
  const program = published('everything');
  const [streamable, sse] = await Promise.all([
    HttpServerProcess.start([program, 'streamableHttp']),
    HttpServerProcess.start([program, 'sse']),
  ]);
  http['streamable_http'] = streamable;
  http['sse'] = sse;
}, 30_000);
afterAll(async () => {
  await Promise.all(Object.values(http).map((one) => one.kill()));
  await rm(folder, { recursive: true });
});

function server(mode: MCPServerMode): McpSource {
  const port = http[mode]?.port;
  const more = { name: 'everything', timeoutMs: 6_000, reconnect: { minMs: 50 } };
  if (mode === 'stdio') {
    pidFile = join(folder, `${open.length}-${Math.random()}.pid`);
    const params = {
      command: process.execPath,
      args: [...tellPid, published('everything'), 'stdio'],
      env: { PID_FILE: pidFile },
    };
    return opened(new MCPServer({ ...more, mode, params }));
  }
  return opened(
    mode === 'sse'
      ? new MCPServer({ ...more, mode, params: { url: `http://127.0.0.1:${port}/sse` } })
      : new MCPServer({ ...more, mode, params: { sessionUrl: `http://127.0.0.1:${port}/mcp` } }),
  );
}

describe.each(Object.values(MCPServerMode))('server-everything over %s', (mode) => {
  test('lists every tool, and answers each kind of call', async () => {
    const { result, results, offered, warnings } = await called(
      [server(mode)],
      [
        ['echo', { message: 'hello' }],
        ['get-sum', { a: 2, b: 3 }],
        ['get-structured-content', { location: 'Chicago' }],
        ['get-tiny-image', {}],
        ['get-resource-reference', { resourceType: 'Text', resourceId: 1 }],
        ['get-resource-links', { count: 2 }],
        ['get-annotated-message', { messageType: 'error', includeImage: true }],
        ['get-sum', { a: 'two', b: 3 }],
        ['get-resource-reference', { resourceType: 'Text', resourceId: -1 }],
        ['get-env', {}],
        ['gzip-file-as-resource', { name: 'a.gz', data: 'data:text/plain,hello' }],
        ['toggle-simulated-logging', {}],
        ['toggle-subscriber-updates', {}],
        ['trigger-elicitation-request', {}],
        ['trigger-url-elicitation', { url: 'https://example.com' }],
        ['simulate-research-query', { topic: 'bees' }],
      ],
    );
    expect(result.status).toBe('completed');
    expect(offered).toEqual(expect.arrayContaining(everything));
    // What a person would have to answer in the middle of a call is declined.
    expect(warnings).toEqual([expect.stringMatching(/^mcp-elicitation-declined: /)]);
    const said = results.map((one) => one.result);
    expect(said[0]).toBe('Echo: hello');
    expect(said[1]).toBe('The sum of 2 and 3 is 5.');
    expect(said[2]).toMatchObject({ temperature: 36, conditions: expect.any(String) });
    expect(said[3]).toContainEqual(
      expect.objectContaining({ type: 'file', mediaType: 'image/png', data: expect.any(String) }),
    );
    expect(JSON.stringify(said[4])).toContain('Resource demo://resource/');
    expect(JSON.stringify(said[5])).toContain('demo://resource/');
    expect(JSON.stringify(said[6])).toContain('image/png');
    expect(results.map(({ isError }) => isError)).toEqual([
      ...Array.from({ length: 7 }, () => false),
      true,
      true,
      ...Array.from({ length: 6 }, () => false),
      true,
    ]);
    expect(said[7]).toMatch(/do not fit/);
    expect(said[8]).toMatch(/resourceId/);
    expect(said[9]).toContain('PATH');
    expect(JSON.stringify(said[10])).toContain('a.gz');
    expect(JSON.stringify(said[13])).toMatch(/declin/i);
    expect(JSON.stringify(said[14])).toMatch(/declin/i);
    // It runs as a task only, an experiment of the 2025 era that we do not speak: the model reads why.
    expect(said[15]).toMatch(/requires task augmentation/);
  });

  test('shows progress, and tells the server of a cancellation', async () => {
    const source = server(mode);
    const { seen, results } = await called(
      [source],
      [['trigger-long-running-operation', { duration: 0.3, steps: 3 }]],
    );
    expect(results).toMatchObject([{ isError: false }]);
    const progress = seen.filter(
      (event) =>
        typeof event === 'object' &&
        event !== null &&
        Reflect.get(event, 'type') === 'tool-progress',
    );
    expect(progress).toContainEqual(
      expect.objectContaining({ data: expect.objectContaining({ progress: 1, total: 3 }) }),
    );
    const abort = new AbortController();
    const going = callOne(
      source,
      'trigger-long-running-operation',
      { duration: 60, steps: 600 },
      {
        signal: abort.signal,
        progress: () => abort.abort(new Error('enough')),
      },
    );
    await expect(going).rejects.toThrow('enough');
    // The server has stopped, and serves on.
    expect(await callOne(source, 'echo', { message: 'on' })).toBe('Echo: on');
  });

  test('a server that is killed in the middle of a call costs that call, within its timeout', async () => {
    const source = server(mode);
    const begun = performance.now();
    let seen = (): void => undefined;
    const underWay = new Promise<void>((resolve) => (seen = resolve));
    const call = callOne(
      source,
      'trigger-long-running-operation',
      { duration: 60, steps: 600 },
      {
        progress: () => seen(),
      },
    );
    const failing = call.then(
      () => 'an answer',
      (error: unknown) => error,
    );
    await underWay;
    if (mode === 'stdio') process.kill(Number(await readFile(pidFile, 'utf8')), 'SIGKILL');
    else await http[mode]?.kill();
    expect(await failing).toMatchObject({ code: 'outcome_unknown' });
    expect(performance.now() - begun).toBeLessThan(8_000);
    if (mode !== 'stdio') await http[mode]?.start();
    await eventually(async () => (await listed(source)).length > 0);
    const { results, warnings } = await called([source], [['echo', { message: 'again' }]]);
    expect(results).toMatchObject([{ result: 'Echo: again', isError: false }]);
    expect(warnings).toEqual([]);
  }, 20_000);
});

test('server-filesystem works on its folder, and refuses what is outside', async () => {
  const inside = join(folder, 'inside');
  await mkdir(inside);
  await writeFile(join(inside, 'note.txt'), 'Remember the milk.');
  const files = opened(
    mcpTools({ name: 'files', command: process.execPath, args: [published('filesystem'), inside] }),
  );
  const { results, offered } = await called(
    [files],
    [
      ['read_text_file', { path: join(inside, 'note.txt') }],
      ['write_file', { path: join(inside, 'more.txt'), content: 'Bread.' }],
      ['read_text_file', { path: join(folder, 'secret.txt') }],
    ],
    [['list_directory', { path: inside }]],
  );
  expect(offered).toEqual(
    expect.arrayContaining(['read_text_file', 'write_file', 'list_directory', 'search_files']),
  );
  expect(JSON.stringify(results[0]?.result)).toContain('Remember the milk.');
  expect(results.map(({ isError }) => isError)).toEqual([false, false, true, false]);
  expect(JSON.stringify(results[2]?.result)).toMatch(/denied|outside/i);
  expect(JSON.stringify(results[3]?.result)).toContain('more.txt');
  expect(await readFile(join(inside, 'more.txt'), 'utf8')).toBe('Bread.');
});

test('server-memory keeps a graph between calls and processes', async () => {
  const remembers = (): McpSource =>
    opened(
      mcpTools({
        name: 'memory',
        command: process.execPath,
        args: [published('memory')],
        env: { MEMORY_FILE_PATH: join(folder, 'graph.jsonl') },
      }),
    );
  const first = remembers();
  const ada = { name: 'Ada', entityType: 'person', observations: ['writes programs'] };
  const { results } = await called(
    [first],
    [['create_entities', { entities: [ada] }]],
    [['search_nodes', { query: 'programs' }]],
  );
  expect(results.map(({ isError }) => isError)).toEqual([false, false]);
  expect(JSON.stringify(results[1]?.result)).toContain('Ada');
  await first.close();
  const { results: later } = await called([remembers()], [['read_graph', {}]]);
  expect(later[0]?.result).toMatchObject({ entities: [{ name: 'Ada' }] });
});
