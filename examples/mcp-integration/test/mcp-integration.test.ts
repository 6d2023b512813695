import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { printedByStart, shownInReadme } from 'demo-model/testing';
import { expect, test } from 'vitest';
import { makeRepository } from '../src/servers/make-repository.ts';

const folder = fileURLToPath(new URL('..', import.meta.url));

test('npm start prints what the README shows', async () => {
  expect(await printedByStart(folder)).toBe(shownInReadme(folder));
}, 60_000);

test('the app is a server over stdio too, with the agents that it publishes', async () => {
  const repository = makeRepository();
  const client = new Client({ name: 'test', version: '1.0.0' });
  await client.connect(
    new StdioClientTransport({
      command: 'npx',
      args: ['agent-functions-mcp', 'src/app.ts'],
      cwd: folder,
      env: {
        PATH: process.env['PATH'] ?? '',
        OLLAMA_HOST: '127.0.0.1:1',
        GIT_REPOSITORY: repository.folder,
      },
    }),
  );
  const { tools } = await client.listTools();
  expect(tools.map(({ name }) => name)).toEqual([
    'git_agent',
    'weather_stdio',
    'get_run',
    'decide_run',
    'cancel_run',
  ]);
  expect(
    await client.callTool({
      name: 'weather_stdio',
      arguments: { message: 'What is the weather in Oslo?' },
    }),
  ).toMatchObject({ content: [{ text: 'Oslo: clear sky, -6 °C, wind 7 km/h.' }] });
  expect(
    await client.callTool({ name: 'git_agent', arguments: { message: 'Commit my notes.' } }),
  ).toMatchObject({
    structuredContent: {
      status: 'interrupted',
      interruptions: [{ tool_name: 'git_commit', input: { message: 'Add notes.md' } }],
    },
  });
  await client.close();
  repository.remove();
}, 60_000);
