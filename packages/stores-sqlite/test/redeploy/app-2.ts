// Version N + 1: other instructions; a tool was added (stamp) and three are gone (fax, scan, wire); two agents have other
// names, two are gone (oracle, museum).
import { Agent } from '@agent-functions/core';
import { serveApp, world } from './world.ts';

const { tool, model } = world({ hangs: false });

const put = tool('put', 'idempotent');
const refund = tool('refund', 'once', { needsApproval: true });

const teller = new Agent({
  name: 'teller',
  aliases: ['clerk'],
  instructions: 'The teller of version 2',
  model: model('clerk', 'teller'),
  tools: [put, refund],
});
const desk = new Agent({
  name: 'desk',
  instructions: 'The desk of version 2',
  model: model('desk'),
  maxTurns: 100,
  tools: [
    put,
    refund,
    tool('look', 'read'),
    tool('pay', 'once'),
    tool('send', 'once', { reconciles: true }),
    tool('book', 'once', { onAmbiguous: 'ask' }),
    tool('stamp', 'idempotent'),
    teller.asTool({ toolName: 'ask_teller' }),
  ],
  handoffs: [teller],
});
const counter = new Agent({
  name: 'counter',
  aliases: ['kiosk'],
  instructions: 'The counter of version 2',
  model: model('kiosk', 'counter'),
  tools: [put],
});

await serveApp([desk, counter]);
