#!/usr/bin/env node
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 13)) {
  console.error(`agent-functions-mcp needs Node 22.13 or later; this is ${process.version}.`);
  process.exit(1);
}
// In the workspace the sources run as they are, so that a stale build never does; then so must be the packages that they
// and the app import. A published package has no src.
const source = new URL('../src/stdio/main.ts', import.meta.url);
const condition = '--conditions=@agent-functions/source';
const told = `${process.execArgv.join(' ')} ${process.env.NODE_OPTIONS ?? ''}`;
if (existsSync(source) && !told.includes('@agent-functions/source')) {
  const own = fileURLToPath(import.meta.url);
  const args = [...process.execArgv, condition, own, ...process.argv.slice(2)];
  // It reads the same standard input, and so ends when the client has gone.
  const child = spawn(process.execPath, args, { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  child.once('exit', (code) => process.exit(code ?? 1));
} else {
  const { main } = await import(existsSync(source) ? source.href : '../dist/stdio/main.js');
  process.exit(await main(process.argv.slice(2)));
}
