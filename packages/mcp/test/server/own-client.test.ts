import { Agent, Runner, silentLogger, tool } from '@agent-functions/core';
import { scriptedModel } from '@agent-functions/core/testing';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { mcpHandler, mcpTools } from '../../src/index.ts';
import { serve } from './serve.ts';

// An agent here asks an agent there: our client and our server, over every way they can agree on.

const double = tool({
  name: 'double',
  description: 'Doubles a number.',
  parameters: z.object({ number: z.number() }),
  outputSchema: z.object({ doubled: z.number() }),
  effect: 'read',
  execute: ({ number }) => ({ doubled: number * 2 }),
});

const there = new Agent({
  name: 'expert',
  description: 'Knows it.',
  model: scriptedModel(() => 'It is 42.'),
});

test.each([
  { protocolVersion: 'auto', sessions: false },
  { protocolVersion: '2025-11-25', sessions: false },
  { protocolVersion: '2025-11-25', sessions: true },
  { protocolVersion: '2025-06-18', sessions: false },
  { protocolVersion: '2026-07-28', sessions: false },
])('$protocolVersion, sessions: $sessions', async ({ protocolVersion, sessions }) => {
  const handler = mcpHandler({ agents: [there], tools: [double], sessions, logger: silentLogger });
  const server = await serve(handler);
  const source = mcpTools({ name: 'there', url: server.url, protocolVersion });
  const here = new Agent({
    name: 'asker',
    mcpServers: [source],
    model: scriptedModel([
      {
        calls: [
          ['expert', { message: 'What is it?' }],
          ['double', { number: 21 }],
        ],
      },
      'The expert says 42.',
    ]),
  });
  const result = await new Runner(here).run('Ask.');
  expect(result).toMatchObject({
    status: 'completed',
    toolResults: [
      { tool: 'expert', isError: false },
      { tool: 'double', isError: false, result: { doubled: 42 } },
    ],
  });
  expect(JSON.stringify(result.toolResults[0]?.result)).toContain('It is 42.');
  await source.close();
  await server.close();
  await handler.close();
});
