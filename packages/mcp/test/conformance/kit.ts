import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(
  new URL('../../node_modules/@modelcontextprotocol/conformance/dist/index.js', import.meta.url),
);

/** How a run of the kit ended: 0 is success, and what it printed. */
export interface KitRun {
  readonly code: number | null;
  readonly output: string;
  /** By scenario: how many checks passed and failed, as the kit sums up. */
  readonly summary: ReadonlyMap<string, { readonly passed: number; readonly failed: number }>;
}

/** Runs the conformance kit: `kit('server', ['--url', …])`. */
export async function kit(mode: 'server' | 'client', args: readonly string[]): Promise<KitRun> {
  const results = await mkdtemp(join(tmpdir(), 'conformance-'));
  // A scenario that waits for what will not come waits no longer than that.
  const given = ['--output-dir', results, '--timeout', '10000'];
  try {
    const child = spawn(process.execPath, [program, mode, ...args, ...given], {
      env: { PATH: process.env['PATH'], HOME: results },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    child.stdout.on('data', (bytes: Buffer) => (output += bytes.toString()));
    child.stderr.on('data', (bytes: Buffer) => (output += bytes.toString()));
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    return { code, output, summary: summaryOf(output) };
  } finally {
    await rm(results, { recursive: true, force: true });
  }
}

function summaryOf(output: string): KitRun['summary'] {
  const lines = output.matchAll(/^[✓✗~] ([\w./-]+): (\d+) passed, (\d+) failed/gm);
  return new Map(
    [...lines].map(([, name = '', passed, failed]) => [
      name,
      { passed: Number(passed), failed: Number(failed) },
    ]),
  );
}
