export { main } from './main.ts';
export { devServer, type DevServer, type DevServerOptions } from './dev-server.ts';
export { findEntry, type Entry } from './entry.ts';
