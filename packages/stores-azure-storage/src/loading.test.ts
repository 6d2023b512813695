import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startAzurite, type Azurite } from '../test/azurite.ts';

let azurite: Azurite;
beforeAll(async () => {
  azurite = await startAzurite();
}, 60_000);
afterAll(() => azurite.stop());

const run = promisify(execFile);

/** The clients that a process has loaded after each of some statements, which see `store`. */
async function loadedBy(statements: readonly string[]): Promise<readonly (readonly string[])[]> {
  const { connectionString } = azurite;
  const options = { connectionString, prefix: azurite.prefix(), wakeQueue: 'wake' };
  const script = `
    import { registerHooks } from 'node:module';
    const seen = new Set();
    registerHooks({
      load(url, context, next) {
        const name = /@azure[/](data-tables|storage-blob|storage-queue)[/]/.exec(url)?.[1];
        if (name !== undefined) seen.add(name);
        return next(url, context);
      },
    });
    const { azureStorageStore } = await import(${JSON.stringify(new URL('index.ts', import.meta.url).href)});
    const store = azureStorageStore(${JSON.stringify(options)});
    const header = { runId: 'r1', agent: 'a', createdAt: 1 };
    const event = { v: 1, seq: 1, at: 1, runId: 'r1', frame: 'f0', agent: 'a', type: 'run-start', input: [], options: {} };
    const large = (await import('node:crypto')).randomBytes(900_000).toString('base64');
    const loaded = [[...seen]];
    ${statements.map((each) => `${each}; loaded.push([...seen].toSorted());`).join('\n')}
    await store.close();
    console.log(JSON.stringify(loaded));`;
  const { stdout } = await run(
    process.execPath,
    ['--conditions=@agent-functions/source', '--input-type=module', '--eval', script],
    { cwd: fileURLToPath(new URL('.', import.meta.url)) },
  );
  return JSON.parse(stdout);
}

describe('the clients of the services', () => {
  it('are loaded when they are first used: for tables, for a large value, to wake', async () => {
    const loaded = await loadedBy([
      `await store.runs.create(header, event, { holder: 'h', ttlMs: 1000 })`,
      `await store.runs.append('r1', [{ ...event, seq: 2, type: 'warning', code: 'c', message: large }], { expectedSeq: 1, token: 1 })`,
      `await store.wake.schedule({ runId: 'r1' }, 0)`,
    ]);
    expect(loaded).toEqual([
      [],
      ['data-tables'],
      ['data-tables', 'storage-blob'],
      ['data-tables', 'storage-blob', 'storage-queue'],
    ]);
  }, 30_000);
});
