import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { ratioOf } from './rounds.ts';

/** C1, C4: how long an import takes, in a fresh process each time. */
export interface ColdStart {
  /** `core` / zod alone. */
  readonly core: number | undefined;
  /** A whole Function App / `@azure/functions` alone. */
  readonly functionApp: number | undefined;
  /** The same with its storage account configured / `@azure/functions` alone. */
  readonly storedFunctionApp: number | undefined;
}

const rounds = 15;
const packages = join(import.meta.dirname, '../packages');
const modules = {
  core: join(packages, 'core/dist/index.js'),
  zod: join(import.meta.dirname, 'node_modules/zod/index.js'),
  functionApp: join(import.meta.dirname, 'function-app.mjs'),
  storedFunctionApp: join(import.meta.dirname, 'stored-function-app.mjs'),
  functions: join(
    packages,
    'azure-functions/node_modules/@azure/functions/dist/azure-functions.js',
  ),
} as const;
type Module = keyof typeof modules;

export async function measureColdStart(): Promise<ColdStart> {
  const names: readonly Module[] = ['core', 'zod', 'functionApp', 'storedFunctionApp', 'functions'];
  const samples: Record<Module, number[]> = {
    core: [],
    zod: [],
    functionApp: [],
    storedFunctionApp: [],
    functions: [],
  };
  for (let round = -1; round < rounds; round += 1) {
    for (const [index] of names.entries()) {
      const name = names[(index + round + 1) % names.length];
      if (name === undefined) continue;
      const ms = await importTime(modules[name]);
      // The first round brings the files into memory.
      if (round >= 0) samples[name].push(ms);
    }
  }
  const itself = (ms: number): number => ms;
  return {
    core: ratioOf(samples.core, samples.zod, itself),
    functionApp: ratioOf(samples.functionApp, samples.functions, itself),
    storedFunctionApp: ratioOf(samples.storedFunctionApp, samples.functions, itself),
  };
}

async function importTime(file: string): Promise<number> {
  const probe = join(import.meta.dirname, 'import-time.mjs');
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [probe, pathToFileURL(file).href],
    { env: { ...process.env, NODE_ENV: 'production' } },
  );
  return Number(stdout.trim().split('\n').at(-1));
}
