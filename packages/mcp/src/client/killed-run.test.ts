import { Agent, memoryStore, outputText, Runner } from '@agent-functions/core';
import { faultyStore, scriptedModel } from '@agent-functions/core/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually, fixture, HttpServerProcess } from '../../test/client/processes.ts';
import { callOne } from '../../test/client/runs.ts';
import { mcpTools } from './mcp-server.ts';
import type { McpOptions } from './options.ts';

let server: HttpServerProcess;
beforeAll(async () => {
  server = await HttpServerProcess.start([...fixture('second-line-server.ts'), 'http']);
}, 30_000);
afterAll(() => server.kill());

// The process is gone after the server ran the tool, before its result is recorded.
test.each<[string, McpOptions, number, RegExp]>([
  ['read, by the hint of a trusted server', { trusted: true }, 2, /^\d+$/],
  ['idempotent, as its user says', { effects: { count: 'idempotent' } }, 2, /^\d+$/],
  [
    'once, where nobody who is trusted says otherwise',
    {},
    1,
    /Nobody knows whether count happened/,
  ],
])(
  'a run that was killed in a call goes on by its effect: %s',
  async (_effect, options, runs, says) => {
    const url = `http://127.0.0.1:${server.port}/mcp`;
    const source = () => mcpTools({ name: 'counter', url, ...options });
    const counted = source();
    const before = Number(await callOne(counted, 'count', {}));
    const store = memoryStore();
    const gone = new AbortController();
    const dying = faultyStore(store, {
      until: gone.signal,
      // The run, then what the model said with the start of the call, then its result.
      before: ({ write }) => {
        if (write === 3) gone.abort();
      },
    });
    const agent = (): Agent =>
      new Agent({
        name: 'counter',
        model: scriptedModel([{ calls: [['count', {}]] }, 'Counted.'], { by: 'conversation' }),
        mcpServers: [source()],
      });
    const first = new Runner(agent(), { store: dying, leaseMs: 100 }).stream('Count.');
    await expect(first.result).rejects.toThrow();
    const second = new Runner(agent(), { store, leaseMs: 100 });
    let status = '';
    await eventually(async () => {
      ({ status } = await second.resume(first.runId));
      return status === 'completed';
    });
    const journal = [];
    for await (const event of store.runs.read(first.runId)) journal.push(event);
    const results = journal.filter((event) => event.type === 'tool-result');
    expect(results).toHaveLength(1);
    const [settled] = results;
    if (settled === undefined) throw new Error('There is no result.');
    expect(outputText(settled.output)).toMatch(says);
    expect(journal.filter(({ type }) => type === 'tool-start')).toHaveLength(runs);
    expect(Number(await callOne(counted, 'count', {}))).toBe(before + runs + 1);
    await counted.close();
  },
);
