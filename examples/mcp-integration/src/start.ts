import { sayYourTurn, serveExample } from 'demo-model/play';
import { inspect } from './inspector.ts';
import { makeRepository } from './servers/make-repository.ts';
import { startServers } from './servers/start-servers.ts';
import { talk } from './talk.ts';

const servers = await startServers();
const repository = makeRepository();
process.once('exit', () => repository.remove());
process.env['WEATHER_HTTP_URL'] = servers.httpUrl;
process.env['WEATHER_SSE_URL'] = servers.sseUrl;
process.env['GIT_REPOSITORY'] = repository.folder;
// The agents read where their servers are.
const { app } = await import('./app.ts');
const url = await serveExample({
  fetch: app.fetch,
  close: async () => {
    await app.close();
    await servers.close();
  },
});

await talk(url, 'weather_stdio', 'What is the weather in Bern?');
await talk(url, 'weather_http', 'What is the weather in Oslo?');
await talk(url, 'weather_sse', 'What is the weather in Seattle?');
await talk(url, 'git_agent', 'What happened last?');

const { tools = [] } = await inspect(url, '--method', 'tools/list');
for (const { name, description } of tools) console.log(`  ${name}: ${description}`);

const call = ['--method', 'tools/call', '--tool-name'];
const paused = await inspect(url, ...call, 'git_agent', '--tool-arg', 'message=Commit my notes.');
const { status, run_id = '', interruptions = [] } = paused.structuredContent ?? {};
console.log(`  ${status}`);
for (const { tool_name, input } of interruptions) {
  console.log(`  may ${tool_name} ${JSON.stringify(input)} be called?`);
}
const decisions = interruptions.map(({ id }) => ({ interruption_id: id, approved: true }));
const decided = await inspect(
  url,
  ...call,
  'decide_run',
  '--tool-arg',
  `run_id=${run_id}`,
  `decisions=${JSON.stringify(decisions)}`,
);
console.log(`  ${decided.structuredContent?.status}: ${decided.structuredContent?.response}`);

sayYourTurn(url, `${url}/api/agents/weather_http/chat`, {
  message: 'What is the weather in Bern?',
});
