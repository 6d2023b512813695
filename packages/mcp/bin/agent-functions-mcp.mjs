#!/usr/bin/env node
import { existsSync } from 'node:fs';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 13)) {
  console.error(`agent-functions-mcp needs Node 22.13 or later; this is ${process.version}.`);
  process.exit(1);
}
// In the workspace the sources run as they are, so that a stale build never does. A published package has no src.
const source = new URL('../src/stdio/main.ts', import.meta.url);
const { main } = await import(existsSync(source) ? source.href : '../dist/stdio/main.js');
process.exit(await main(process.argv.slice(2)));
