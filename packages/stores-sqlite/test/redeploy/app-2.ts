// Version N + 1: other instructions; a tool was added (stamp) and three are gone (fax, scan, wire); two agents have other
// names, two are gone (oracle, museum).
import { Agent } from '@agent-functions/core';
import { serveApp, world } from './world.ts';

const { toolOf, modelOf } = world({ hangs: false });

const put = toolOf('put', 'idempotent');
const refund = toolOf('refund', 'once', { needsApproval: true });

const teller = new Agent({
  name: 'teller',
  aliases: ['clerk'],
  instructions: 'The teller of version 2',
  model: modelOf('clerk', 'teller'),
  tools: [put, refund],
});
const desk = new Agent({
  name: 'desk',
  instructions: 'The desk of version 2',
  model: modelOf('desk'),
  maxTurns: 100,
  tools: [
    put,
    refund,
    toolOf('look', 'read'),
    toolOf('pay', 'once'),
    toolOf('send', 'once', { reconciles: true }),
    toolOf('book', 'once', { onAmbiguous: 'ask' }),
    toolOf('stamp', 'idempotent'),
    teller.asTool({ toolName: 'ask_teller' }),
  ],
  handoffs: [teller],
});
const counter = new Agent({
  name: 'counter',
  aliases: ['kiosk'],
  instructions: 'The counter of version 2',
  model: modelOf('kiosk', 'counter'),
  tools: [put],
});

await serveApp([desk, counter]);
