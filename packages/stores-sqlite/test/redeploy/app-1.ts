// Version N.
import { Agent } from '@agent-functions/core';
import { serveApp, world } from './world.ts';

const { tool, model } = world({ hangs: true });

const put = tool('put', 'idempotent');
const refund = tool('refund', 'once', { needsApproval: true });

const clerk = new Agent({
  name: 'clerk',
  instructions: 'The clerk of version 1',
  model: model('clerk'),
  tools: [put, refund],
});
const oracle = new Agent({
  name: 'oracle',
  instructions: 'The oracle of version 1',
  model: model('oracle'),
  tools: [put, refund],
});
const desk = new Agent({
  name: 'desk',
  instructions: 'The desk of version 1',
  model: model('desk'),
  maxTurns: 100,
  tools: [
    put,
    refund,
    tool('look', 'read'),
    tool('pay', 'once'),
    tool('send', 'once', { reconciles: true }),
    tool('book', 'once', { onAmbiguous: 'ask' }),
    tool('fax', 'once', { needsApproval: true }),
    tool('scan', 'read'),
    tool('wire', 'once'),
    clerk.asTool({ toolName: 'ask_clerk' }),
    oracle.asTool({ toolName: 'ask_oracle' }),
  ],
  handoffs: [clerk, oracle],
});
const kiosk = new Agent({
  name: 'kiosk',
  instructions: 'The kiosk of version 1',
  model: model('kiosk'),
  tools: [put],
});
const museum = new Agent({
  name: 'museum',
  instructions: 'The museum of version 1',
  model: model('museum'),
  tools: [refund],
});

await serveApp([desk, kiosk, museum]);
