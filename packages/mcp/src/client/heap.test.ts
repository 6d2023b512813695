import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { recordOf } from '@agent-functions/core/provider';
import { expect, test } from 'vitest';
import { fixture, HttpServerProcess } from '../../test/client/processes.ts';

const run = promisify(execFile);

// Of the heap after 200 calls, most of what still comes is code that the engine compiles, for the SDK alone as much as
// for us. Interpreted, what calls leave behind is seen.
const interpreted = ['--no-opt', '--no-maglev', '--no-sparkplug'];

test.each(['first', 'second'])(
  'a thousand calls over one connection leave at most 1 KB each, with a server of the %s line',
  async (line) => {
    const server = await HttpServerProcess.start([...fixture(`${line}-line-server.ts`), 'http']);
    try {
      const url = `http://127.0.0.1:${server.port}/mcp`;
      const probe = [...fixture('heap-probe.ts'), url];
      const args = ['--expose-gc', ...interpreted, ...probe];
      const { stdout } = await run(process.execPath, args);
      const { bytesPerCall } = recordOf(JSON.parse(stdout));
      expect(bytesPerCall).toEqual(expect.any(Number));
      expect(Number(bytesPerCall)).toBeLessThanOrEqual(1_024);
    } finally {
      await server.kill();
    }
  },
  60_000,
);
