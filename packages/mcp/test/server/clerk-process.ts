import { serve } from '@agent-functions/server/node';
import { app } from './clerk-app.ts';

// The app as a process: prints its URL, ends when it is told to.
const { url } = await serve(app, { port: 0, signals: true, graceMs: 0 });
console.log(url);
