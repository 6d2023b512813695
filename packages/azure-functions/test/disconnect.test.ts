import { connect } from 'node:net';
import { Agent, silentLogger } from '@agent-functions/core';
import { eventually } from '@agent-functions/core/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { AgentFunctionApp } from '../src/index.ts';
import { miniHost, type MiniHost } from './mini-host.ts';
import { modelServer, type ModelServer } from './model-server.ts';

const hosts: MiniHost[] = [];
afterEach(async () => {
  for (const host of hosts.splice(0)) await host.close();
});

async function start(server: ModelServer, onDisconnect: 'cancel' | 'continue'): Promise<MiniHost> {
  const host = await miniHost(
    () =>
      new AgentFunctionApp({
        agents: [new Agent({ name: 'words', model: server.model })],
        httpAuthLevel: 'anonymous',
        logger: silentLogger,
        onDisconnect,
      }),
  );
  hosts.push(host);
  expect(host.streams).toBe(true);
  return host;
}

const body = JSON.stringify({ message: 'Go on' });
const requests = {
  streamed: 'accept: text/event-stream\r\n',
  'asked for JSON': '',
};

describe('a client that leaves', () => {
  it.each(Object.entries(requests))(
    "trap 3: stops the model's request within a second when runs go with their clients (%s)",
    async (_how, accept) => {
      await using server = await modelServer();
      const host = await start(server, 'cancel');
      const leave = chat(host, accept);
      await eventually(() => server.open.size === 1, 'the model writes');
      const left = performance.now();
      leave();
      await eventually(() => server.open.size === 0, "the model's request is cut");
      expect((server.cutAt ?? Infinity) - left).toBeLessThan(1_000);
    },
  );

  it('leaves the model at work when runs stay, until somebody cancels', async () => {
    await using server = await modelServer();
    const host = await start(server, 'continue');
    const leave = chat(host, requests.streamed);
    const runId = await eventually(() => leave.runId(), 'the run has an id');
    await eventually(() => server.open.size === 1, 'the model writes');
    leave();
    const watcher = await fetch(`${host.url}/api/runs/${runId}/events`);
    const reader = watcher.body?.pipeThrough(new TextDecoderStream()).getReader();
    let seen = '';
    await eventually(async () => {
      seen += (await reader?.read())?.value ?? '';
      return seen.includes('text-delta');
    }, 'another client sees the run go on');
    expect(server.open.size).toBe(1);
    await fetch(`${host.url}/api/runs/${runId}/cancel`, { method: 'POST' });
    await eventually(() => server.open.size === 0, "the model's request is cut");
    await reader?.cancel();
  });
});

/** Sends a chat over a socket; the answer is a function that cuts it. */
function chat(host: MiniHost, accept: string): (() => void) & { runId(): string | undefined } {
  const { hostname, port } = new URL(host.url);
  const socket = connect(Number(port), hostname);
  let received = '';
  socket.on('data', (bytes: Buffer) => {
    received += bytes.toString();
  });
  socket.write(
    `POST /api/agents/words/chat HTTP/1.1\r\nhost: ${hostname}\r\n${accept}content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  return Object.assign(() => void socket.destroy(), {
    runId: () => /^location: .*\/runs\/(\S+)\r$/im.exec(received)?.[1],
  });
}
