import { argv, stdout } from 'node:process';
import { Agent, jsonSchema, silentLogger, tool, type JsonObject } from '@agent-functions/core';
import { scriptedModel } from '@agent-functions/core/testing';
import { agentServer } from '@agent-functions/server';
import { serve } from '@agent-functions/server/node';
import { sqliteStore } from '@agent-functions/stores-sqlite';
import { a2a } from '../src/index.ts';

// A process that is killed: one agent on a SQLite file, which looks something up and then writes slowly.

const [, , path = '', trusted = ''] = argv;
const words = Array.from({ length: 30 }, (_, n) => `word${n} `);

const lookUp = tool({
  name: 'look_up',
  description: 'Looks something up.',
  effect: 'once',
  parameters: jsonSchema<JsonObject>({ type: 'object' }, { validate: (value) => Object(value) }),
  execute: () => 'found',
});
const model = scriptedModel(({ messages }) =>
  messages.at(-1)?.role === 'tool'
    ? {
        events: words.flatMap((delta) => [{ type: 'text-delta' as const, delta }, () => sleep(40)]),
        parts: [{ type: 'text', text: words.join('') }],
      }
    : { calls: [['look_up', {}]] },
);
const server = agentServer({
  agents: [new Agent({ name: 'writer', model, tools: [lookUp] })],
  store: sqliteStore({ path, synchronous: 'normal' }),
  leaseMs: 600,
  protocols: [
    a2a({
      pushNotifications: {
        trustedOrigins: trusted === '' ? [] : [trusted],
        retryMs: 50,
        takeOverMs: 1_000,
      },
    }),
  ],
  logger: silentLogger,
});
const { url } = await serve(server, { port: 0 });
stdout.write(`${url}\n`);

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
