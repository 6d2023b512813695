import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { serve } from '../server/serve.ts';
import { configure, fixture } from './fixture.ts';
import { kit } from './kit.ts';

// The conformance kit of the protocol against our server and our client.

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const none = path('exceptions.yml');
const stateless = path('exceptions-stateless.yml');
const minute = 60_000;

describe('our server', () => {
  test.each([
    { revision: '2025-11-25', sessions: true, exceptions: none, scenarios: 31 },
    { revision: '2025-11-25', sessions: false, exceptions: stateless, scenarios: 31 },
    { revision: '2026-07-28', sessions: false, exceptions: none, scenarios: 20 },
  ])(
    'passes the active suite of $revision (sessions: $sessions)',
    async ({ revision, sessions, exceptions, scenarios }) => {
      const handler = fixture({ sessions });
      const server = await serve(handler);
      const run = await kit('server', [
        '--url',
        server.url,
        '--spec-version',
        revision,
        '--expected-failures',
        exceptions,
      ]);
      await server.close();
      await handler.close();
      expect(run.code, run.output).toBe(0);
      expect(run.summary.size).toBe(scenarios);
    },
    3 * minute,
  );

  test('keeps JSON Schema 2020-12 as it is written', async () => {
    const handler = fixture({ sessions: false });
    const server = await serve(handler);
    const run = await kit('server', [
      '--url',
      server.url,
      '--spec-version',
      '2026-07-28',
      '--scenario',
      'json-schema-2020-12',
    ]);
    await server.close();
    expect(run.code, run.output).toBe(0);
  }, 30_000);

  test.each(['tools-call-sampling', 'tools-call-elicitation', 'server-sse-multiple-streams'])(
    "the SDK's own stateless handler fails %s too",
    async (scenario) => {
      const handler = createMcpHandler(() => {
        const server = new McpServer({ name: 'bare', version: '1.0.0' });
        configure(server);
        return server;
      });
      const server = await serve(handler);
      const run = await kit('server', [
        '--url',
        server.url,
        '--spec-version',
        '2025-11-25',
        '--scenario',
        scenario,
        '--expected-failures',
        none,
      ]);
      await server.close();
      expect(run.code).not.toBe(0);
    },
    minute,
  );

  test(
    'an exception that is not needed fails the run, as does a failure that is no exception',
    async () => {
      const handler = fixture({ sessions: true });
      const server = await serve(handler);
      const to = ['--url', server.url, '--spec-version', '2025-11-25'];
      const scenario = ['--scenario', 'tools-call-sampling'];
      const passes = await kit('server', [...to, ...scenario, '--expected-failures', stateless]);
      await server.close();
      expect(passes.code).not.toBe(0);
      const other = fixture({ sessions: false });
      const without = await serve(other);
      const fails = await kit('server', [
        '--url',
        without.url,
        '--spec-version',
        '2025-11-25',
        ...scenario,
        '--expected-failures',
        none,
      ]);
      await without.close();
      expect(fails.code).not.toBe(0);
    },
    2 * minute,
  );
});

describe('our client', () => {
  const command = `${process.execPath} --conditions=@agent-functions/source ${path('client.ts')}`;

  test.each([
    'initialize',
    'tools_call',
    'elicitation-sep1034-client-defaults',
    'sse-retry',
    'json-schema-2020-12-preservation',
  ])(
    'passes %s',
    async (scenario) => {
      const run = await kit('client', [
        '--command',
        command,
        '--spec-version',
        '2025-11-25',
        '--scenario',
        scenario,
        '--expected-failures',
        none,
      ]);
      expect(run.code, run.output).toBe(0);
    },
    minute,
  );
});
