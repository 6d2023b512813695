import { argv, stdout } from 'node:process';
import { parseArgs } from 'node:util';
import { agentServer } from '@agent-functions/server';
import { serve } from '@agent-functions/server/node';
import { a2a } from '../src/index.ts';
import { conformanceAgent } from './agent.ts';

const { values } = parseArgs({
  args: argv.slice(2),
  options: { port: { type: 'string' }, trust: { type: 'string', multiple: true } },
});

const server = agentServer({
  agents: [conformanceAgent()],
  protocols: [a2a({ pushNotifications: { trustedOrigins: values.trust ?? [] } })],
  allowClientSessionIds: true,
});
const { url } = await serve(server, { port: Number(values.port ?? 9_999), signals: true });
stdout.write(`A2A conformance agent: ${url}/.well-known/agent-card.json\n`);
