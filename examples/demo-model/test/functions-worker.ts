// A Functions worker with the bundle of the present folder in it, as a process of its own: prints the URL of its host,
// ends when it is told to.
import { pathToFileURL } from 'node:url';
import { miniHost } from '../../../packages/azure-functions/test/mini-host.ts';

const folder = process.cwd();
const host = await miniHost(() => import(pathToFileURL(`${folder}/dist/main.mjs`).href), {
  functionAppDirectory: `${folder}/`,
});
console.log(
  JSON.stringify({ url: host.url, streams: host.streams, routes: host.routes, logs: host.logs }),
);
process.on('SIGTERM', () => void host.close().then(() => process.exit(0)));
