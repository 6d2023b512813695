import { serverContract, type ServerOptionsUnderTest } from '@agent-functions/core/testing';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { agentServer } from '../src/index.ts';
import { serve } from '../src/node/index.ts';

const test = { describe, it, beforeAll, afterAll };

serverContract(test, 'as a fetch handler', async (options: ServerOptionsUnderTest) => {
  const server = agentServer(options);
  return {
    request: (path, init) => server.fetch(new Request(`http://agents.test${path}`, init)),
    dispose: () => server.close(),
  };
});

serverContract(test, 'over TCP on Node', async (options: ServerOptionsUnderTest) => {
  const serving = await serve(agentServer(options), { port: 0 });
  return {
    request: (path, init) => fetch(`${serving.url}${path}`, init),
    dispose: () => serving.close({ graceMs: 1_000 }),
  };
});
