// The server as a process of its own, so that it can be killed.
import { serveExample } from 'demo-model/play';
import { app } from './app.ts';

console.log(`serves at ${await serveExample(app)}`);
