// The currency agent as a process of its own: npm run currency.
import { serveExample } from 'demo-model/play';
import { app } from './app.ts';

console.log(`serves at ${await serveExample(app)}`);
