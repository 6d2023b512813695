#!/usr/bin/env node
// Bundles the Functions app of the present folder: src/functions/main.ts becomes dist/main.mjs.
// One file for the Functions worker: half the cold start of a folder of packages.
import { build } from 'esbuild';

await build({
  entryPoints: ['src/functions/main.ts'],
  outfile: 'dist/main.mjs',
  bundle: true,
  platform: 'node',
  target: 'node22',
  format: 'esm',
  minify: true,
  keepNames: true,
  sourcemap: true,
  // The sources of this workspace; outside it the condition names nothing.
  conditions: ['@agent-functions/source'],
  // The worker answers for functions-core; the offline demo stays at home.
  external: ['@azure/functions-core', 'demo-model/server'],
  // @azure/functions is CommonJS and asks the worker by require().
  banner: {
    js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
  },
});
