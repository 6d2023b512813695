import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readHostJson } from './host-json.ts';

async function read(text: string): ReturnType<typeof readHostJson> {
  const folder = await mkdtemp(join(tmpdir(), 'host-json-'));
  await writeFile(join(folder, 'host.json'), text);
  return readHostJson(folder);
}

describe('readHostJson', () => {
  it('reads the prefix of routes and the time limit', async () => {
    const text = '{"functionTimeout":"00:10:00","extensions":{"http":{"routePrefix":""}}}';
    expect(await read(text)).toMatchObject({ routePrefix: '', functionTimeoutMs: 600_000 });
  });

  it('knows the default prefix, and days', async () => {
    const day = 24 * 60 * 60 * 1_000;
    expect(await read('{"functionTimeout":"1.00:00:00"}')).toMatchObject({
      routePrefix: 'api',
      functionTimeoutMs: day,
    });
    expect(await read('{"functionTimeout":"-1"}')).toMatchObject({ functionTimeoutMs: undefined });
  });

  it('reads how the host looks at queues', async () => {
    const text =
      '{"extensions":{"queues":{"maxPollingInterval":"00:00:02.5","maxDequeueCount":8}}}';
    expect((await read(text))?.queues).toEqual({
      maxPollingIntervalMs: 2_500,
      maxDequeueCount: 8,
    });
    const none = { maxPollingIntervalMs: undefined, maxDequeueCount: undefined };
    expect((await read('{}'))?.queues).toEqual(none);
    const odd = '{"extensions":{"queues":{"maxPollingInterval":2000,"maxDequeueCount":"5"}}}';
    expect((await read(odd))?.queues).toEqual(none);
  });

  it('says nothing without a file it can read', async () => {
    expect(await read('{')).toBeUndefined();
    expect(await readHostJson(join(tmpdir(), 'there-is-no-such-folder'))).toBeUndefined();
  });
});
