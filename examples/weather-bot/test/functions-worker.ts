// A Functions worker with the bundle in it, as a process of its own: prints the URL of its host, ends when it is told to.
import { miniHost } from '../../../packages/azure-functions/test/mini-host.ts';

const bundle = new URL('../dist/main.mjs', import.meta.url).href;
const host = await miniHost(() => import(bundle), {
  functionAppDirectory: new URL('..', import.meta.url).pathname,
});
console.log(
  JSON.stringify({ url: host.url, streams: host.streams, routes: host.routes, logs: host.logs }),
);
process.on('SIGTERM', () => void host.close().then(() => process.exit(0)));
