/**
 * Imports the modules named on the command line, in a process of its own, and prints as JSON what that did:
 * `node import-probe.ts @agent-functions/core`.
 */
import { registerHooks, syncBuiltinESMExports } from 'node:module';
import net from 'node:net';
import timers from 'node:timers';

const modules: string[] = [];
const effects: string[] = [];
const wait = setTimeout;

/** The first line of the stack outside this file and Node itself; nothing when Node called. */
function caller(): string | undefined {
  const lines = new Error('here').stack?.split('\n').slice(1) ?? [];
  const line = lines.find((each) => !each.includes('import-probe') && !each.includes('node:'));
  return line?.trim();
}

/** Effects of our own packages count; what the host's library does at its import is its own affair. */
function note(what: string): void {
  const at = caller();
  if (at?.includes('/node_modules/') === false) effects.push(`${what} ${at}`);
}

function watch(owner: object, name: string): void {
  const original: unknown = Reflect.get(owner, name);
  if (typeof original !== 'function') return;
  Reflect.set(owner, name, function watched(this: unknown, ...args: unknown[]): unknown {
    note(name);
    return Reflect.apply(original, this, args);
  });
}

for (const name of ['setTimeout', 'setInterval', 'setImmediate']) {
  watch(globalThis, name);
  watch(timers, name);
}
watch(globalThis, 'fetch');
watch(net.Socket.prototype, 'connect');
watch(net.Server.prototype, 'listen');
syncBuiltinESMExports();
process.env = new Proxy(process.env, {
  get(target, name) {
    note(`process.env.${String(name)}`);
    return Reflect.get(target, name);
  },
  has(target, name) {
    note(`process.env.${String(name)}`);
    return Reflect.has(target, name);
  },
  ownKeys(target) {
    note('process.env');
    return Reflect.ownKeys(target);
  },
});
registerHooks({
  load(url, context, nextLoad) {
    if (!url.startsWith('node:')) modules.push(url);
    return nextLoad(url, context);
  },
});

await Promise.all(process.argv.slice(2).map((each) => import(each)));
// What a module put off to the next moments counts as well.
await new Promise((resolve) => wait(resolve, 20));
const resources = process.getActiveResourcesInfo().filter((each) => each !== 'PipeWrap');
console.log(JSON.stringify({ modules, effects, resources }));
process.exit();
