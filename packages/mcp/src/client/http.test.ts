import { tool } from '@agent-functions/core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HttpPeer, json } from '../../test/client/http-peer.ts';
import { freePort } from '../../test/client/processes.ts';
import { called, callOne, listed } from '../../test/client/runs.ts';
import { z } from 'zod';
import { mcpHandler } from '../index.ts';
import { MCPServer, mcpTools } from './mcp-server.ts';

let peer: HttpPeer;
beforeEach(async () => {
  peer = await HttpPeer.start();
});
afterEach(() => peer.close());

test('headers are asked for with each request, and go to the server alone', async () => {
  let asked = 0;
  const source = new MCPServer({
    name: 'peer',
    mode: 'STREAMABLE_HTTP',
    params: {
      sessionUrl: peer.url,
      headers: () => {
        asked += 1;
        return { authorization: `Bearer ${asked}`, 'x-team': 'blue' };
      },
    },
  });
  await callOne(source, 'work', {});
  const sent = peer.headers.map(({ authorization }) => authorization);
  expect(new Set(sent).size).toBe(sent.length);
  expect(peer.headers.every((headers) => headers['x-team'] === 'blue')).toBe(true);
  await source.close();
});

test('a credential of an identity SDK gives the token, for its scope', async () => {
  const scopes: unknown[] = [];
  const credential = {
    getToken: async (scope: string | string[]) => {
      scopes.push(scope);
      return { token: 'entra-token', expiresOnTimestamp: Date.now() + 60_000 };
    },
  };
  const scope = 'api://mcp/.default';
  const source = mcpTools({ url: peer.url, credential, scope });
  await callOne(source, 'work', {});
  expect(new Set(scopes)).toEqual(new Set([scope]));
  expect(peer.headers.every(({ authorization }) => authorization === 'Bearer entra-token')).toBe(
    true,
  );
  await source.close();
});

test('a provider of the SDK gives the token', async () => {
  const source = mcpTools({ url: peer.url, auth: { token: async () => 'sdk-token' } });
  await callOne(source, 'work', {});
  expect(peer.headers.every(({ authorization }) => authorization === 'Bearer sdk-token')).toBe(
    true,
  );
  await source.close();
});

test('credentials go over https or to this machine, else nowhere', async () => {
  const url = 'http://example.com/mcp';
  const inTheOpen = /would go to http:\/\/example\.com in the open\. Use https/;
  expect(() => mcpTools({ url, headers: { 'x-api-key': 'k' } })).toThrow(inTheOpen);
  expect(() => mcpTools({ url, auth: { token: async () => 't' } })).toThrow(inTheOpen);
  expect(() =>
    mcpTools({ url: url.replace('http:', 'https:'), headers: { 'x-api-key': 'k' } }),
  ).not.toThrow();
  const late = mcpTools({ name: 'late', url, headers: () => ({ authorization: 'Bearer t' }) });
  await expect(listed(late)).rejects.toThrow(inTheOpen);
});

test('no redirect is followed with credentials', async () => {
  const other = await HttpPeer.start();
  peer.intercept = (_request, response) => {
    response.writeHead(307, { location: other.url }).end();
    return true;
  };
  const source = mcpTools({ url: peer.url, headers: { authorization: 'Bearer t' } });
  await expect(listed(source)).rejects.toThrow(/^MCP server 127\.0\.0\.1: /);
  expect(other.headers).toEqual([]);
  await other.close();
});

test.each([
  [401, /wants a login \(HTTP 401\)/],
  [403, /denies access \(HTTP 403\)/],
  [405, /HTTP 405\. Check that its URL is the endpoint of an MCP server\.$/],
  [500, /HTTP 500/],
])('an answer of HTTP %i is said, without its body', async (status, says) => {
  peer.intercept = (_request, response) => {
    response.writeHead(status).end('secret-of-the-server');
    return true;
  };
  const { warnings } = await called([mcpTools({ url: peer.url })]);
  expect(warnings).toEqual([expect.stringMatching(says)]);
  expect(JSON.stringify(warnings)).not.toContain('secret');
});

test.each(['streamable_http', 'sse'] as const)(
  'a server that is not there is said (%s)',
  async (mode) => {
    const url = `http://127.0.0.1:${await freePort()}/mcp`;
    await expect(listed(mcpTools({ name: 'gone', mode, url }))).rejects.toThrow(
      'MCP server gone: nothing listens there (ECONNREFUSED): start it.',
    );
    // One of the ports that the fetch standard blocks.
    const blocked = mcpTools({ name: 'gone', mode, url: 'http://127.0.0.1:9/mcp' });
    await expect(listed(blocked)).rejects.toThrow(
      /^MCP server gone: fetch refuses the port of its URL/,
    );
  },
);

test('a tool that does not fit is left out in the new era of the protocol too', async () => {
  const good = tool({
    name: 'good',
    description: 'Works.',
    parameters: z.object({}),
    effect: 'read',
    execute: () => 'done',
  });
  const there = mcpHandler({ tools: [good] });
  const source = mcpTools({
    name: 'new',
    protocolVersion: '2026-07-28',
    url: 'http://localhost/mcp',
    fetch: async (url, init) => {
      const answer = await there.fetch(new Request(url, init));
      const text = await answer.text();
      const odd = text.replace(
        '"tools":[',
        '"tools":[{"name":"odd","inputSchema":{"type":"banana"}},',
      );
      return new Response(text === '' ? null : odd, {
        status: answer.status,
        headers: { 'content-type': answer.headers.get('content-type') ?? 'text/plain' },
      });
    },
  });
  const { results, warnings } = await called([source], [['good', {}]]);
  expect(results).toMatchObject([{ result: 'done' }]);
  expect(warnings).toEqual([
    expect.stringMatching(/^mcp-tool-invalid: The tool odd of .*left out/),
  ]);
  await source.close();
});

const large = 'x'.repeat(12 * 1024 * 1024);

test.each(['json', 'events'])(
  'an answer that is too large as %s is not read, and the next call works',
  async (form) => {
    const result = { content: [{ type: 'text', text: large }] };
    const small = peer.call;
    peer.call = ({ id, response }) => {
      if (form === 'json') json(response, { id, result });
      else {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.end(`data: ${JSON.stringify({ jsonrpc: '2.0', id, result })}\n\n`);
      }
    };
    const source = mcpTools({ url: peer.url, timeoutMs: 5_000 });
    const begun = performance.now();
    const { results, warnings } = await called([source], [['work', {}]]);
    expect(performance.now() - begun).toBeLessThan(3_000);
    expect(results[0]?.result).toMatch(/ran, but the answer is larger than 10485760 bytes/);
    expect(warnings).toEqual([expect.stringMatching(/^mcp-answer-too-large/)]);
    peer.call = small;
    expect(await callOne(source, 'work', {})).toBeNull();
    await source.close();
  },
);

test.each(['cut', 'ended'])(
  'a stream that is %s before its answer ends the call at once',
  async (how) => {
    peer.call = ({ response }) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(': hello\n\n', () => {
        if (how === 'cut') response.destroy();
        else response.end();
      });
    };
    const source = mcpTools({ name: 'peer', url: peer.url });
    const begun = performance.now();
    await expect(callOne(source, 'work', {})).rejects.toMatchObject({
      code: 'outcome_unknown',
      message: 'work of MCP server peer: the connection broke.',
    });
    expect(performance.now() - begun).toBeLessThan(2_000);
    await source.close();
  },
);
