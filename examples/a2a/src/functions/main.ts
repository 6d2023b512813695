// What the Functions worker loads (package.json, main): the currency agent. The travel agent is an app of its own.
export { app } from '../currency/app.ts';
