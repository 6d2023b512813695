import { Agent, jsonSchema, memoryStore, silentLogger, tool } from '@agent-functions/core';
import { eventually, gate, scriptedModel, type Script } from '@agent-functions/core/testing';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { AgentFunctionApp, AgentMode } from '../src/index.ts';
import { recordingLogger } from './handler-app.ts';
import { miniHost, withoutWorker, type MiniHost } from './mini-host.ts';
import { queueStore, type QueueStore } from './queue-store.ts';

const hosts: MiniHost[] = [];
afterEach(async () => {
  for (const host of hosts.splice(0)) await host.close();
});

async function start(register: () => unknown): Promise<MiniHost> {
  const host = await miniHost(register);
  hosts.push(host);
  return host;
}

const anonymous = { httpAuthLevel: 'anonymous', logger: silentLogger } as const;

/** One worker of an app whose agent plays a script by what the conversation holds: the same in every worker. */
function worker(
  queue: QueueStore,
  script: Script,
  more: Partial<ConstructorParameters<typeof AgentFunctionApp>[0]> & {
    readonly tools?: ConstructorParameters<typeof Agent>[0]['tools'];
  } = {},
): Promise<MiniHost> {
  const { tools, ...options } = more;
  const agent = new Agent({
    name: 'fine',
    model: scriptedModel(script, { by: 'conversation' }),
    tools,
  });
  return start(
    () => new AgentFunctionApp({ ...anonymous, store: queue.store, ...options, agents: [agent] }),
  );
}

function chat(host: MiniHost, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${host.url}/api/agents/fine/chat`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ message: 'Hello' }),
  });
}

const later = { prefer: 'respond-async' };

async function runIdOf(response: Response): Promise<string> {
  const { run_id: runId }: { run_id: string } = JSON.parse(await response.text());
  return runId;
}

/** A tool that stands still until its gate opens. */
function slow(name: string, effect: 'read' | 'once') {
  const opens = gate();
  let begun = 0;
  const parameters = jsonSchema<object>(
    { type: 'object' },
    { validate: (value) => (typeof value === 'object' && value !== null ? value : {}) },
  );
  const made = tool({
    name,
    description: `Does ${name}`,
    parameters,
    effect,
    execute: async () => {
      begun += 1;
      await opens.wait();
      return `${name} done`;
    },
  });
  return { opens, tool: made, begun: () => begun };
}

describe('the wakes of a store', () => {
  it('come by a queue whose function the app registers, in mode a2a too, and not without triggers', async () => {
    const queue = queueStore();
    const expected = {
      name: 'agents-wake',
      queueName: 'agents-wake',
      connection: 'AzureWebJobsStorage',
    };
    expect((await worker(queue, ['Hello.'])).queues).toEqual([expected]);
    const protocols = [{ name: 'a2a', handlers: [] }];
    const a2a = await worker(queue, ['Hello.'], { mode: AgentMode.A2A, protocols });
    expect(a2a.queues).toEqual([expected]);
    const none = await worker(queueStore(), ['Hello.'], { store: memoryStore() });
    expect(none.queues).toEqual([]);
    const own = await start(() => [
      new AgentFunctionApp({
        ...anonymous,
        store: queue.store,
        agents: [new Agent({ name: 'quiet', model: scriptedModel([]) })],
        createTriggers: false,
      }),
      new AgentFunctionApp({
        ...anonymous,
        agents: [new Agent({ name: 'other', model: scriptedModel([]) })],
      }),
    ]);
    expect(own.queues).toEqual([]);
  });

  it('make a run that was answered with 202 go on, and not the tail of its request', async () => {
    const queue = queueStore();
    const host = await worker(queue, ['Hello.']);
    const answer = await chat(host, later);
    expect(answer.status).toBe(202);
    const runId = await runIdOf(answer);
    expect((await queue.store.runs.peek(runId))?.seq).toBe(1);
    await queue.deliverDue(host);
    const run = await fetch(`${host.url}/api/runs/${runId}`);
    expect(await run.json()).toMatchObject({ status: 'completed', response: 'Hello.' });
  });

  it('that fail come again; at the last delivery the run ends failed, for all to see', async () => {
    const queue = queueStore();
    const logger = recordingLogger();
    const first = await worker(queue, ['Hello.']);
    const runId = await runIdOf(await chat(first, later));
    const { store } = queue;
    let down = true;
    const broken = {
      ...store,
      runs: {
        ...store.runs,
        acquire: async (...args: Parameters<typeof store.runs.acquire>) => {
          if (down) throw new Error('The tables are down.');
          return store.runs.acquire(...args);
        },
      },
    };
    const host = await worker(queue, ['Hello.'], { store: broken, logger });
    const deliver = (dequeueCount: number) =>
      host.deliver('agents-wake', { text: JSON.stringify({ runId }), dequeueCount });
    for (const count of [1, 2, 3, 4]) {
      await expect(deliver(count)).rejects.toThrow('The tables are down.');
    }
    const warnings = logger.lines.filter(({ level }) => level === 'warn');
    expect(warnings.filter(({ message }) => message.includes('comes again'))).toHaveLength(4);
    // What could not even be ended is poison.
    await expect(deliver(5)).rejects.toThrow('The tables are down.');
    expect(logger.lines.at(-1)).toMatchObject({ level: 'error', fields: { runId } });
    let looks = 0;
    down = false;
    const once = {
      ...store,
      runs: {
        ...store.runs,
        acquire: async (...args: Parameters<typeof store.runs.acquire>) => {
          looks += 1;
          if (looks === 1) throw new Error('The tables are down.');
          return store.runs.acquire(...args);
        },
      },
    };
    const other = await worker(queue, ['Hello.'], { store: once });
    const text = JSON.stringify({ runId });
    await other.deliver('agents-wake', { text, dequeueCount: 5 });
    const run = await fetch(`${other.url}/api/runs/${runId}`);
    expect(await run.json()).toMatchObject({ status: 'failed', error: { code: 'crash_loop' } });
  });

  it('are told from other messages, which are dropped at the last delivery with a line in the log', async () => {
    const queue = queueStore();
    const logger = recordingLogger();
    const host = await worker(queue, ['Hello.'], { logger });
    queue.put('somebody else wrote this');
    await queue.deliverDue(host);
    expect(queue.messages).toEqual([]);
    expect(queue.poison).toEqual([]);
    expect(logger.lines.filter(({ level }) => level === 'warn')).toHaveLength(4);
    expect(logger.lines.at(-1)).toMatchObject({ level: 'error' });
    expect(logger.lines.at(-1)?.message).toContain('The message is no wake of the store');
  });

  it('are read as the store wrote them, base64, where host.json says messageEncoding none', async () => {
    const queue = queueStore();
    const host = await worker(queue, ['Hello.']);
    const runId = await runIdOf(await chat(host, later));
    const text = Buffer.from(JSON.stringify({ runId })).toString('base64');
    await host.deliver('agents-wake', { text, dequeueCount: 1 });
    expect((await queue.store.runs.peek(runId))?.ended).toBe(true);
  });

  it('are taken by a trigger of your own, where the app registers none', async () => {
    const queue = queueStore();
    let app: AgentFunctionApp | undefined;
    await withoutWorker(() => {
      app = new AgentFunctionApp({
        ...anonymous,
        store: queue.store,
        agents: [new Agent({ name: 'fine', model: scriptedModel(['Hello.']) })],
        createTriggers: false,
      });
    });
    const header = await app?.getRunner('fine').start('Hello');
    const { InvocationContext } = await import('@azure/functions');
    await app?.wake({ runId: header?.runId }, new InvocationContext());
    expect((await queue.store.runs.peek(header?.runId ?? ''))?.ended).toBe(true);
  });
});

describe('a worker that is about to go', () => {
  it('lets the call in flight settle when the host stops, and another one goes on within two seconds', async () => {
    const queue = queueStore();
    const pay = slow('pay', 'once');
    const script: Script = [{ calls: [['pay', {}]] }, 'Paid.'];
    const leaver = await worker(queue, script, { tools: [pay.tool] });
    const answer = chat(leaver);
    await pay.opens.reached;
    const stopped = leaver.terminate();
    const began = performance.now();
    pay.opens.open();
    const host = await worker(queue, script, { tools: [pay.tool] });
    const pump = queue.pump(host);
    const response = await answer;
    expect(response.status).toBe(202);
    const runId = await runIdOf(response);
    await eventually(async () => (await queue.store.runs.peek(runId))?.ended, 'the run ends');
    expect(performance.now() - began).toBeLessThan(2_000);
    await stopped;
    await pump.stop();
    expect(pay.begun()).toBe(1);
    const run = await fetch(`${host.url}/api/runs/${runId}`);
    expect(await run.json()).toMatchObject({ status: 'completed', response: 'Paid.' });
  });

  it('aborts what does not settle within two seconds, by request and by queue, and is gone within 4.5', async () => {
    const queue = queueStore();
    const read = slow('read', 'read');
    const script: Script = [{ calls: [['read', {}]] }, 'Read.'];
    const leaver = await worker(queue, script, { tools: [read.tool] });
    const asked = chat(leaver);
    const streamed = chat(leaver, { accept: 'text/event-stream' });
    const queued = await runIdOf(await chat(leaver, later));
    const pump = queue.pump(leaver);
    await eventually(() => read.begun() === 3, 'three runs stand still');
    const began = performance.now();
    await leaver.terminate();
    expect(performance.now() - began).toBeGreaterThan(1_900);
    expect(performance.now() - began).toBeLessThan(4_500);
    await pump.stop();
    const stream = await streamed;
    const text = await stream.text();
    expect(text).not.toContain('event: error');
    const ids = [
      await runIdOf(await asked),
      stream.headers.get('location')?.split('/').at(-1) ?? '',
      queued,
    ];
    for (const runId of ids) {
      const peek = await queue.store.runs.peek(runId);
      expect([peek?.ended, peek?.lease]).toEqual([false, undefined]);
    }
    read.opens.open();
    const host = await worker(queue, script, { tools: [read.tool] });
    const next = queue.pump(host);
    for (const runId of ids) {
      await eventually(async () => (await queue.store.runs.peek(runId))?.ended, 'the run ends');
    }
    await next.stop();
  });

  it('lets go of its runs before the time limit of a function, by request and by queue', async () => {
    const queue = queueStore();
    const read = slow('read', 'read');
    const script: Script = [{ calls: [['read', {}]] }, 'Read.'];
    const host = await worker(queue, script, { tools: [read.tool], functionTimeoutMs: 1_000 });
    const began = performance.now();
    const [answer, queued] = await Promise.all([chat(host), chat(host, later).then(runIdOf)]);
    const pump = queue.pump(host);
    expect(answer.status).toBe(202);
    const ids = [await runIdOf(answer), queued];
    for (const runId of ids) {
      await eventually(async () => {
        const peek = await queue.store.runs.peek(runId);
        return peek !== undefined && peek.seq > 1 && peek.lease === undefined;
      }, 'the run is let go of');
    }
    expect(performance.now() - began).toBeLessThan(2_000);
    read.opens.open();
    for (const runId of ids) {
      await eventually(async () => (await queue.store.runs.peek(runId))?.ended, 'the run ends');
    }
    await pump.stop();
  });
});

describe('host.json', () => {
  const folders: string[] = [];
  afterEach(async () => {
    for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
  });

  async function warnings(queue: QueueStore, queues: object | undefined): Promise<string[]> {
    const folder = await mkdtemp(join(tmpdir(), 'host-json-'));
    folders.push(folder);
    const extensions = { http: { routePrefix: '' }, ...(queues === undefined ? {} : { queues }) };
    await writeFile(join(folder, 'host.json'), JSON.stringify({ version: '2.0', extensions }));
    const logger = recordingLogger();
    const cwd = process.cwd();
    process.chdir(folder);
    await worker(queue, ['Hello.'], { logger }).finally(() => process.chdir(cwd));
    return logger.lines.flatMap(({ level, message }) => (level === 'warn' ? [message] : []));
  }

  it('that lets a quiet queue be looked at too seldom is warned of, with what to write', async () => {
    const [unset] = await warnings(queueStore(), undefined);
    expect(unset).toContain('as seldom as once in a minute');
    expect(unset).toContain('"maxPollingInterval": "00:00:02"');
    const [slowly] = await warnings(queueStore(), { maxPollingInterval: '00:00:30' });
    expect(slowly).toContain('once in 30 s');
    expect(await warnings(queueStore(), { maxPollingInterval: '00:00:02' })).toEqual([]);
    expect(await warnings(queueStore(), { maxPollingInterval: '00:00:00.5000000' })).toEqual([]);
  });
});
