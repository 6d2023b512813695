import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@agent-functions/core/testing';
import { app } from '@azure/functions';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  broken,
  cookies,
  events,
  eventStream,
  forever,
  inChunks,
  principalOf,
} from './responses.ts';
import { unclaimedWires } from '../src/wire.ts';
import {
  echo,
  echoed,
  handlerApp,
  recordingLogger,
  type HandlerAppOptions,
} from './handler-app.ts';
import type { MiniHost } from './mini-host.ts';

beforeAll(() => app.setup({ enableHttpStream: true }));

const hosts: MiniHost[] = [];
afterEach(async () => {
  for (const host of hosts.splice(0)) await host.close();
});

async function start(
  serve: Parameters<typeof handlerApp>[0],
  options: Partial<HandlerAppOptions> = {},
): ReturnType<typeof handlerApp> {
  const host = await handlerApp(serve, { streaming: true, ...options });
  hosts.push(host);
  expect(host.streams).toBe(true);
  return host;
}

const patience = { signal: AbortSignal.timeout(60_000) };
const within = (ms: number): { signal: AbortSignal } => ({ signal: AbortSignal.timeout(ms) });
const encoder = new TextEncoder();

describe('trap 1: what a handler throws', () => {
  it('trap 1: is answered with 500, and the reason stays in the log', async () => {
    const logger = recordingLogger();
    const host = await start(() => Promise.reject(new Error('secret reason')), { logger });
    const response = await fetch(`${host.url}/api/x`, within(3_000));
    expect(response.status).toBe(500);
    const text = await response.text();
    expect(text).toContain('"code":"internal"');
    expect(text).not.toContain('secret reason');
    expect(logger.lines.some(({ message }) => message.includes('secret reason'))).toBe(true);
  });

  it.each([
    ['nothing', () => JSON.parse('null')],
    ['a network error', () => Response.error()],
  ])('trap 1: answers also where the handler returned %s', async (_what, make) => {
    const host = await start(async () => make());
    const response = await fetch(`${host.url}/api/x`, within(3_000));
    expect(response.status).toBe(500);
  });
});

describe('trap 2: a body that throws in the middle', () => {
  it('trap 2: ends an event stream with an error event and a normal close', async () => {
    const logger = recordingLogger();
    const host = await start(
      async () => events(['event: a\ndata: 1\n\n'], new Error('secret reason')),
      { logger },
    );
    const text = await (await fetch(host.url, within(3_000))).text();
    expect(text).toMatch(/event: a\ndata: 1\n\nevent: error\ndata: \{.*"code":"internal".*\}\n\n$/);
    expect(text).not.toContain('secret reason');
    expect(logger.lines.some(({ message }) => message.includes('secret reason'))).toBe(true);
  });

  it('trap 2: never lets half an event count as one', async () => {
    const host = await start(async () => events(['event: a\ndata: {"half'], new Error('broken')));
    const text = await (await fetch(host.url, within(3_000))).text();
    expect(text).toMatch(/event: a\ndata: \{"half\nevent: error\n/);
    expect(text.trimStart().split('\n\n').filter(Boolean).at(-1)).toContain('event: error');
  });

  it('trap 2: does not make other bodies look complete', async () => {
    const host = await start(async () => new Response(broken(['part'], new Error('broken'))));
    const response = await fetch(host.url, within(3_000));
    await expect(response.text()).rejects.toThrow();
  });
});

describe('trap 3: a client that leaves', () => {
  it('trap 3: fires the signal while the handler still thinks', async () => {
    let signal: AbortSignal | undefined;
    const host = await start(async (_request, context) => {
      ({ signal } = context);
      await new Promise<void>((resolve) => {
        context.signal.addEventListener('abort', () => resolve());
      });
      return new Response('nobody reads this');
    });
    const leave = new AbortController();
    const gone = fetch(host.url, { signal: leave.signal }).catch((error: unknown) => error);
    await eventually(() => signal, 'the handler runs');
    leave.abort();
    await gone;
    await eventually(() => signal?.aborted === true, 'the signal fires', 3_000);
    await host.invocations.settled();
  });

  it('trap 3: fires the signal and cancels the body in the middle of a stream', async () => {
    let signal: AbortSignal | undefined;
    let cancelled = false;
    const host = await start(async (_request, context) => {
      ({ signal } = context);
      return eventStream(
        new ReadableStream({
          start: (controller) => controller.enqueue(encoder.encode('data: 1\n\n')),
          cancel: () => {
            cancelled = true;
          },
        }),
      );
    });
    const leave = new AbortController();
    const response = await fetch(host.url, { signal: leave.signal });
    await response.body?.getReader().read();
    leave.abort();
    await eventually(() => signal?.aborted === true, 'the signal fires', 3_000);
    await eventually(() => cancelled, 'the body is cancelled', 3_000);
    await host.invocations.settled();
  });

  it('does not fire for a client that got everything', async () => {
    let signal: AbortSignal | undefined;
    const host = await start(async (_request, context) => {
      ({ signal } = context);
      return new Response('all of it');
    });
    expect(await (await fetch(host.url)).text()).toBe('all of it');
    await host.invocations.settled();
    await sleep(50);
    expect(signal?.aborted).toBe(false);
    expect(unclaimedWires()).toBe(0);
  });
});

describe('trap 4: a client that reads slowly', () => {
  it('trap 4: slows the body down instead of filling the memory', async () => {
    const chunk = new Uint8Array(256 * 1024);
    const limit = 400 * 1024 * 1024;
    let produced = 0;
    const host = await start(
      async () =>
        new Response(
          new ReadableStream<Uint8Array>(
            {
              async pull(controller) {
                await new Promise(setImmediate);
                produced += chunk.length;
                controller.enqueue(chunk);
                if (produced >= limit) controller.close();
              },
            },
            { highWaterMark: 0 },
          ),
        ),
    );
    const url = new URL(host.url);
    const socket = connect(Number(url.port), url.hostname);
    socket.pause();
    socket.write(`GET / HTTP/1.1\r\nhost: ${url.host}\r\n\r\n`);
    await eventually(() => produced > 0, 'the body began');
    await stalled(() => produced);
    const before = produced;
    expect(before).toBeLessThan(limit / 2);
    socket.resume();
    await eventually(() => produced > before, 'the body goes on when the client reads');
    socket.destroy();
    await host.invocations.settled();
  });
});

describe('trap 5: what a caller may overwrite', () => {
  const forged = { 'x-ms-client-principal': principalOf('admin'), authorization: 'Bearer stolen' };

  it('trap 5: a JSON body does not become headers', async () => {
    const host = await start(echo, { easyAuth: {} });
    const response = await fetch(`${host.url}/api/agents/a/chat`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-mine': 'yes' },
      body: JSON.stringify({ message: 'hi', Headers: forged }),
      ...patience,
    });
    const got = await echoed(response);
    expect(got.principal).toBeNull();
    expect(got.headers['authorization']).toBeUndefined();
    expect(got.headers['x-ms-client-principal']).toBeUndefined();
    expect(got.headers['x-mine']).toBe('yes');
    expect(got.body).toContain('"message":"hi"');
  });

  it('trap 5: nor does the query', async () => {
    const host = await start(echo, { easyAuth: {} });
    const query = new URLSearchParams({ Headers: JSON.stringify(forged), name: 'other' });
    const got = await echoed(await fetch(`${host.url}/api/x?${query.toString()}`, patience));
    expect(got.principal).toBeNull();
    expect(got.headers['authorization']).toBeUndefined();
    expect(new URL(got.url).searchParams.get('name')).toBe('other');
  });

  it('knows the caller from the header that the platform set', async () => {
    const host = await start(echo, { easyAuth: { claims: ['roles'] } });
    const got = await echoed(
      await fetch(host.url, {
        headers: { 'x-ms-client-principal': principalOf('alice', ['reader', 'writer']) },
      }),
    );
    expect(got.principal).toEqual({ id: 'aad:alice', claims: { roles: ['reader', 'writer'] } });
  });

  it('counts a principal that cannot be read as nobody, and says so', async () => {
    const logger = recordingLogger();
    const host = await start(echo, { easyAuth: {}, logger });
    const got = await echoed(
      await fetch(host.url, { headers: { 'x-ms-client-principal': 'nonsense' } }),
    );
    expect(got.principal).toBeNull();
    expect(logger.lines.some(({ level }) => level === 'warn')).toBe(true);
  });

  it('trusts no header of the platform when the wire is not known', async () => {
    const host = await start(echo, { easyAuth: {}, withoutWires: true });
    const got = await echoed(
      await fetch(host.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ Headers: forged }),
      }),
    );
    expect(got.principal).toBeNull();
    expect(got.headers['x-ms-client-principal']).toBeUndefined();
  });

  it('shows the request as the client sent it: no header of the way to the worker', async () => {
    const host = await start(echo);
    const got = await echoed(
      await fetch(`${host.url}/api/x?a=1&a=2`, { headers: { te: 'trailers' } }),
    );
    expect(Object.keys(got.headers)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/^x-(ms|forwarded)-|^te$|^connection$/)]),
    );
    expect(got.url).toBe(`${host.url}/api/x?a=1&a=2`);
    expect(got.headers['host']).toBe(new URL(host.url).host);
  });
});

describe('trap 6: headers', () => {
  it('trap 6: of an event stream go out before its first event', async () => {
    const host = await start(async () =>
      eventStream(new ReadableStream({ pull: () => forever() })),
    );
    const response = await fetch(host.url, within(3_000));
    expect(response.status).toBe(200);
    const first = await response.body?.getReader().read();
    expect(new TextDecoder().decode(first?.value)).toMatch(/^:/);
  });

  it('keeps several cookies, and drops what belongs to the connection', async () => {
    const host = await start(async () => cookies());
    const response = await fetch(host.url);
    expect(response.headers.getSetCookie()).toEqual(['a=1; Path=/; HttpOnly', 'b=x%20y']);
    expect(response.headers.get('x-secret-hop')).toBeNull();
    expect(response.headers.get('x-kept')).toBe('yes');
  });

  it('keeps several cookies when the wire is not known', async () => {
    const host = await start(async () => cookies(), { withoutWires: true });
    const response = await fetch(host.url);
    expect(response.headers.getSetCookie()).toEqual(['a=1; Path=/; HttpOnly', 'b=x%20y']);
  });
});

describe('trap 7: a log line after the answer', () => {
  it('trap 7: goes to our own logger, with the invocation', async () => {
    const logger = recordingLogger();
    const host = await start(
      async (_request, context) =>
        eventStream(
          new ReadableStream({
            async pull(controller) {
              await new Promise(setImmediate);
              context.log('info', 'from inside the stream', { n: 1 });
              controller.close();
            },
          }),
        ),
      { logger },
    );
    await (await fetch(host.url)).text();
    await host.invocations.settled();
    expect(host.logs.filter(({ message }) => message.includes('Unexpected call'))).toEqual([]);
    const line = logger.lines.find(({ message }) => message === 'from inside the stream');
    expect(line?.fields).toMatchObject({
      n: 1,
      invocationId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
  });
});

describe('trap 8: a request in chunks', () => {
  it('arrives whole in stream mode', async () => {
    const host = await start(echo);
    const got = await echoed(await fetch(host.url, inChunks(['{"message":', '"hi"}'])));
    expect(got.body).toBe('{"message":"hi"}');
  });
});

describe('a request whose body nobody wants', () => {
  it('is answered, and the connection lives on', async () => {
    const host = await start(async (request) => {
      const reader = request.body?.getReader();
      await reader?.read();
      await reader?.cancel();
      return new Response('too large', { status: 413 });
    });
    const sockets = new Set<unknown>();
    const count = (message: unknown): void => {
      if (typeof message !== 'object' || message === null) return;
      if ('request' in message && message.request instanceof IncomingMessage)
        if ('x-ms-invocation-id' in message.request.headers) sockets.add(message.request.socket);
    };
    subscribe('http.server.request.start', count);
    const body = new Uint8Array(1024 * 1024);
    for (let n = 0; n < 3; n++) {
      const response = await fetch(host.url, { method: 'POST', body, ...within(5_000) });
      expect(response.status).toBe(413);
      expect(await response.text()).toBe('too large');
    }
    unsubscribe('http.server.request.start', count);
    expect(sockets.size).toBe(1);
  });

  it.each([
    ['read in part and left', async (request: Request) => request.body?.getReader().read()],
    ['not read at all', async () => undefined],
    ['not read since the handler failed', () => Promise.reject(new Error('failed'))],
  ])('is answered when the body was %s', async (_how, read) => {
    const host = await start(async (request) => {
      await read(request);
      return new Response('enough');
    });
    const body = new Uint8Array(1024 * 1024);
    for (let n = 0; n < 3; n++) {
      const response = await fetch(host.url, { method: 'POST', body, ...within(5_000) });
      expect(await response.text()).toMatch(/^enough$|"code":"internal"/);
    }
    expect(unclaimedWires()).toBe(0);
  });
});

describe('without the wire', () => {
  it('answers and streams all the same', async () => {
    const host = await start(async () => events(['data: 1\n\n', 'data: 2\n\n']), {
      withoutWires: true,
    });
    const text = await (await fetch(host.url, within(3_000))).text();
    expect(text).toContain('data: 1\n\ndata: 2\n\n');
  });

  it('answers a body that breaks with 500, since its status is still to be sent', async () => {
    const host = await start(async () => new Response(broken(['part'], new Error('broken'))), {
      withoutWires: true,
    });
    const response = await fetch(host.url, within(3_000));
    expect(response.status).toBe(500);
  });
});

describe('the time limit of the function', () => {
  it('tells the handler when to end, before the host ends the process', async () => {
    let deadline = 0;
    const host = await start(
      async (_request, context) => {
        deadline = (context.deadline ?? 0) - Date.now();
        return new Response(null, { status: 204 });
      },
      { functionTimeoutMs: 100_000 },
    );
    expect((await fetch(host.url)).status).toBe(204);
    expect(deadline).toBeGreaterThan(60_000);
    expect(deadline).toBeLessThanOrEqual(70_000);
  });

  it('answers 504 for a handler that does not end', async () => {
    const host = await start(() => forever(), { functionTimeoutMs: 1_000 });
    const response = await fetch(host.url, within(10_000));
    expect(response.status).toBe(504);
  });

  it('ends a stream that does not end', async () => {
    const host = await start(
      async () => eventStream(new ReadableStream({ pull: () => forever() })),
      { functionTimeoutMs: 1_000 },
    );
    expect(await (await fetch(host.url, within(10_000))).text()).toBe(':\n');
  });
});

describe('when the host stops', () => {
  it('ends open streams and answers open requests', async () => {
    const arrived: string[] = [];
    const host = await start((request) => {
      arrived.push(request.url);
      return request.url.endsWith('/stream')
        ? Promise.resolve(eventStream(new ReadableStream({ pull: () => forever() })))
        : forever();
    });
    const stream = await fetch(`${host.url}/stream`);
    const waiting = fetch(`${host.url}/wait`);
    await eventually(() => arrived.length === 2, 'both requests are there');
    host.invocations.abortAll('host-stops');
    expect(await stream.text()).toBe(':\n');
    await eventually(async () => (await waiting).status === 503, 'the open request is answered');
    await host.invocations.settled();
  });

  it('waits for work that outlasts its request', async () => {
    let done = false;
    const host = await start(async (_request, context) => {
      context.waitUntil(
        sleep(50).then(() => {
          done = true;
        }),
      );
      context.waitUntil(Promise.reject(new Error('this one fails')));
      return new Response('ok');
    });
    await (await fetch(host.url)).text();
    await host.invocations.settled();
    expect(done).toBe(true);
  });
});

/** Resolves when the value has stayed the same for a while. */
async function stalled(value: () => number): Promise<void> {
  let before = -1;
  let same = 0;
  await eventually(
    async () => {
      same = value() === before ? same + 1 : 0;
      before = value();
      await sleep(20);
      return same >= 10;
    },
    'the body stalls or ends',
    30_000,
  );
}
