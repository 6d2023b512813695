// One process of a crash loop: takes the run up, and dies in the tool.
import { Agent, jsonSchema, Runner, tool } from '@agent-functions/core';
import { scriptedModel } from '@agent-functions/core/testing';
import { sqliteStore } from '../../src/index.ts';

const [path = '', runId] = process.argv.slice(2);
const fatal = tool({
  name: 'fatal',
  description: 'Ends its process',
  parameters: jsonSchema({ type: 'object' }, { validate: (value) => value }),
  effect: 'read',
  execute: () => process.kill(process.pid, 'SIGKILL'),
});
const agent = new Agent({
  name: 'bot',
  model: scriptedModel([{ calls: [['fatal', {}]] }]),
  tools: [fatal],
});
const store = sqliteStore({ path, synchronous: 'normal' });
const runner = new Runner(agent, { store, leaseMs: 200 });
if (runId === undefined) await runner.run('Go.');
else {
  const result = await runner.resume(runId);
  console.log(JSON.stringify({ status: result.status, code: result.error?.code }));
  await store.close();
}
