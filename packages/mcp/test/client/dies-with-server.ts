// A program that uses a server over stdio until it is killed, exits, or throws, as its first argument says.
import { mcpTools } from '../../src/client/mcp-server.ts';
import { fixture } from './processes.ts';
import { listed } from './runs.ts';

const [, , how, pids = ''] = process.argv;
const source = mcpTools({
  name: 'child',
  command: process.execPath,
  args: [...fixture('odd-server.ts'), 'stubborn', pids],
});
await listed(source);
if (how === 'exit') process.exit(0);
if (how === 'throw') throw new Error('a fault');
process.stdout.write('ready\n');
setInterval(() => undefined, 1_000);
