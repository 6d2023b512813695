// Version N.
import { Agent } from '@agent-functions/core';
import { serveApp, world } from './world.ts';

const { toolOf, modelOf } = world({ hangs: true });

const put = toolOf('put', 'idempotent');
const refund = toolOf('refund', 'once', { needsApproval: true });

const clerk = new Agent({
  name: 'clerk',
  instructions: 'The clerk of version 1',
  model: modelOf('clerk'),
  tools: [put, refund],
});
const oracle = new Agent({
  name: 'oracle',
  instructions: 'The oracle of version 1',
  model: modelOf('oracle'),
  tools: [put, refund],
});
const desk = new Agent({
  name: 'desk',
  instructions: 'The desk of version 1',
  model: modelOf('desk'),
  maxTurns: 100,
  tools: [
    put,
    refund,
    toolOf('look', 'read'),
    toolOf('pay', 'once'),
    toolOf('send', 'once', { reconciles: true }),
    toolOf('book', 'once', { onAmbiguous: 'ask' }),
    toolOf('fax', 'once', { needsApproval: true }),
    toolOf('scan', 'read'),
    toolOf('wire', 'once'),
    clerk.asTool({ toolName: 'ask_clerk' }),
    oracle.asTool({ toolName: 'ask_oracle' }),
  ],
  handoffs: [clerk, oracle],
});
const kiosk = new Agent({
  name: 'kiosk',
  instructions: 'The kiosk of version 1',
  model: modelOf('kiosk'),
  tools: [put],
});
const museum = new Agent({
  name: 'museum',
  instructions: 'The museum of version 1',
  model: modelOf('museum'),
  tools: [refund],
});

await serveApp([desk, kiosk, museum]);
