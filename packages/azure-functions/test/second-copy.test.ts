import { cp, mkdir, mkdtemp, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Agent } from '@agent-functions/core';
import { scriptedModel } from '@agent-functions/core/testing';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { AgentFunctionApp } from '../src/index.ts';
import { recordingLogger } from './handler-app.ts';
import { miniHost, type MiniHost } from './mini-host.ts';

interface Library {
  readonly app: { get(name: string, handler: () => object): void };
}

let other: Library;
beforeAll(async () => {
  other = await secondCopy();
});

const hosts: MiniHost[] = [];
afterEach(async () => {
  for (const host of hosts.splice(0)) await host.close();
});

describe('a second copy of @azure/functions', () => {
  it('is no matter while the worker runs ours', async () => {
    const logger = recordingLogger();
    const host = await miniHost(() => {
      // Its first registration makes a copy the programming model; the last one counts.
      const app = agentApp(logger);
      return app;
    });
    hosts.push(host);
    expect(host.streams).toBe(true);
    expect(logger.lines).toEqual([]);
  });

  it('trap copy: is named in the log at start-up when it runs instead of ours', async () => {
    const logger = recordingLogger();
    const host = await miniHost(() => {
      const app = agentApp(logger);
      other.app.get('hello', () => ({ body: 'hello' }));
      return app;
    });
    hosts.push(host);
    expect(host.streams).toBe(false);
    expect(logger.lines).toMatchObject([
      {
        level: 'error',
        message: expect.stringMatching(
          /two copies of @azure\/functions.*do not stream.*npm ls @azure\/functions.*overrides/s,
        ),
      },
    ]);
    const response = await fetch(`${host.url}/api/agents/weather/info`);
    expect(response.status).toBe(200);
  });
});

function agentApp(logger: ReturnType<typeof recordingLogger>): AgentFunctionApp {
  const agents = [new Agent({ name: 'weather', model: scriptedModel(['It rains.']) })];
  return new AgentFunctionApp({ agents, httpAuthLevel: 'anonymous', logger });
}

/** The same library from another folder: what a nested node_modules is. */
async function secondCopy(): Promise<Library> {
  const here = fileURLToPath(new URL('../node_modules/@azure/functions', import.meta.url));
  const folder = await mkdtemp(join(tmpdir(), 'second-copy-'));
  const library = join(folder, 'node_modules/@azure/functions');
  await mkdir(library, { recursive: true });
  await cp(here, library, { recursive: true, dereference: true });
  const require = createRequire(join(folder, 'index.js'));
  // Its dependencies stay where they are.
  const real = dirname(
    createRequire(join(here, 'package.json')).resolve('@azure/functions/package.json'),
  );
  for (const dependency of ['@azure/functions-extensions-base', 'cookie']) {
    const at = join(folder, 'node_modules', dependency);
    await mkdir(dirname(at), { recursive: true });
    await symlink(join(real, '../..', dependency), at).catch(() => undefined);
  }
  const loaded: unknown = require('@azure/functions');
  if (!isLibrary(loaded)) throw new Error('This is no copy of @azure/functions.');
  return loaded;
}

function isLibrary(value: unknown): value is Library {
  return typeof value === 'object' && value !== null && 'app' in value;
}
