import { afterEach, describe, expect, it } from 'vitest';
import { echo, echoed, handlerApp, type HandlerAppOptions } from './handler-app.ts';
import { broken, cookies, eventStream, inChunks, principalOf } from './responses.ts';
import type { MiniHost } from './mini-host.ts';

const hosts: MiniHost[] = [];
afterEach(async () => {
  for (const host of hosts.splice(0)) await host.close();
});

async function start(
  serve: Parameters<typeof handlerApp>[0],
  options: Partial<HandlerAppOptions> = {},
): ReturnType<typeof handlerApp> {
  const host = await handlerApp(serve, { streaming: false, ...options });
  hosts.push(host);
  expect(host.streams).toBe(false);
  return host;
}

describe('without HTTP streaming', () => {
  it('passes the request on as it was sent', async () => {
    const host = await start(echo);
    const got = await echoed(
      await fetch(`${host.url}/api/x?a=1&a=2`, {
        method: 'POST',
        headers: { 'content-type': 'text/plain', 'x-mine': 'yes' },
        body: 'hello',
      }),
    );
    expect(got).toMatchObject({ method: 'POST', body: 'hello', url: `${host.url}/api/x?a=1&a=2` });
    expect(got.headers['x-mine']).toBe('yes');
  });

  it('does not take headers from the body', async () => {
    const host = await start(echo, { easyAuth: {} });
    const got = await echoed(
      await fetch(host.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ Headers: { 'x-ms-client-principal': principalOf('admin') } }),
      }),
    );
    expect(got.principal).toBeNull();
  });

  it('knows the caller from the header that the platform set', async () => {
    const host = await start(echo, { easyAuth: {} });
    const got = await echoed(
      await fetch(host.url, { headers: { 'x-ms-client-principal': principalOf('alice') } }),
    );
    expect(got.principal).toEqual({ id: 'aad:alice', claims: {} });
  });

  it('answers what throws with 500', async () => {
    const host = await start(() => Promise.reject(new Error('secret reason')));
    const response = await fetch(host.url);
    expect(response.status).toBe(500);
    expect(await response.text()).toContain('"code":"internal"');
  });

  it('sends an event stream in one piece, with an error event where it broke', async () => {
    const host = await start(async () =>
      eventStream(broken(['data: 1\n\n'], new Error('secret reason'))),
    );
    const text = await (await fetch(host.url)).text();
    expect(text).toMatch(/data: 1\n\nevent: error\ndata: \{/);
  });

  it('answers another body that breaks with 500', async () => {
    const host = await start(async () => new Response(broken(['part'], new Error('broken'))));
    expect((await fetch(host.url)).status).toBe(500);
  });

  it('keeps several cookies, and drops what belongs to the connection', async () => {
    const host = await start(async () => cookies());
    const response = await fetch(host.url);
    expect(response.headers.getSetCookie().length).toBe(2);
    expect(response.headers.get('x-secret-hop')).toBeNull();
  });

  it('trap 8: says that a request in chunks lost its body, instead of calling it empty', async () => {
    const host = await start(echo);
    const response = await fetch(host.url, inChunks(['{"message":', '"hi"}']));
    expect(response.status).toBe(411);
    expect(await response.text()).toContain('Content-Length');
  });
});
