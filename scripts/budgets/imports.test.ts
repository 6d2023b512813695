import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { entryPoints, publicPackages } from '../lib/workspace.ts';
import { probeImport } from './probe-import.ts';

/** What costs a cold start and is loaded on first use: C6. */
const heavy =
  /\/node_modules\/(zod|openai|ollama|@anthropic-ai|@google|@azure\/(identity|storage|data-tables|keyvault|cosmos|core)[^/]*|@opentelemetry\/(?!api\/)[^/]+|@modelcontextprotocol|@a2a-js)\//;

const functionApp = [
  '@agent-functions/core',
  '@agent-functions/server',
  '@agent-functions/azure-functions',
  '@agent-functions/providers-openai',
];

test('C2: importing core loads at most 10 modules', async () => {
  const { modules } = await probeImport('@agent-functions/core');
  expect(modules.length).toBeGreaterThan(0);
  expect(modules.length, modules.join('\n')).toBeLessThanOrEqual(10);
});

test('C2: importing a whole function app loads at most 25 modules', async () => {
  const { modules } = await probeImport(...functionApp);
  expect(modules.length, modules.join('\n')).toBeLessThanOrEqual(25);
});

test('C2, C6: a function app with its storage account configured loads 1 module more, and no SDK', async () => {
  const app = pathToFileURL(join(import.meta.dirname, 'stored-app.ts')).href;
  const { modules, resources } = await probeImport(app);
  const own = modules.filter((each) => each !== app);
  expect(own.length, own.join('\n')).toBeLessThanOrEqual(26);
  expect(own.filter((each) => heavy.test(each))).toEqual([]);
  expect(own.some((each) => each.includes('stores-azure-storage'))).toBe(true);
  expect(resources).toEqual([]);
});

const providers = publicPackages()
  .filter(({ folder }) => folder.startsWith('providers-'))
  .map(({ manifest }) => manifest.name);

test.each(providers)('C6: importing %s loads at most 3 modules over core', async (provider) => {
  const core = await probeImport('@agent-functions/core');
  const both = await probeImport('@agent-functions/core', provider);
  const added = both.modules.filter((each) => !core.modules.includes(each));
  expect(added.length, added.join('\n')).toBeGreaterThan(0);
  expect(added.length, added.join('\n')).toBeLessThanOrEqual(3);
});

const entries = publicPackages().flatMap((each) =>
  entryPoints(each).map(({ subpath }) => each.manifest.name + subpath.slice(1)),
);

describe.each(entries)('importing %s', (entry) => {
  test('C6: loads no schema library, vendor SDK, identity, storage, telemetry or protocol SDK', async () => {
    const { modules } = await probeImport(entry);
    expect(modules.filter((each) => heavy.test(each))).toEqual([]);
  });

  test('starts no timer, opens no socket, reads no environment and keeps no process alive', async () => {
    const { effects, resources } = await probeImport(entry);
    expect({ effects, resources }).toEqual({ effects: [], resources: [] });
  });
});

describe('the probe itself', () => {
  const folder = mkdtempSync(join(tmpdir(), 'probe-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const probe = (source: string) => {
    const file = join(folder, `${Math.random()}.mjs`);
    writeFileSync(file, source);
    return probeImport(pathToFileURL(file).href);
  };

  test('sees a timer, a read of the environment, a socket and a request', async () => {
    const { effects } = await probe(`
      import { setInterval } from 'node:timers';
      import { connect } from 'node:net';
      setTimeout(() => {}, 1);
      setInterval(() => {}, 1000);
      process.env.SAMPLE_KEY ?? 'none';
      'SAMPLE_OTHER' in process.env;
      connect(9, '127.0.0.1').on('error', () => {});
      fetch('data:,x').catch(() => {});
    `);
    expect(effects.map((each) => each.split(' ')[0])).toEqual([
      'setTimeout',
      'setInterval',
      'process.env.SAMPLE_KEY',
      'process.env.SAMPLE_OTHER',
      'connect',
      'fetch',
    ]);
  });

  test('sees a heavy library that a module loads', async () => {
    const { modules } = await probeImport('zod');
    expect(modules.some((each) => heavy.test(each))).toBe(true);
  });

  test('sees what keeps the process alive', async () => {
    const { resources } = await probe(
      `import { createServer } from 'node:net'; createServer().listen(0);`,
    );
    expect(resources).not.toEqual([]);
  });
});
