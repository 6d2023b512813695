import { Agent } from '@agent-functions/core';
import { scriptedModel } from '@agent-functions/core/testing';
import { agentServer } from '../src/index.ts';
import { serve } from '../src/node/index.ts';

// Tells its parent where it listens, and when the model was asked; the model answers 300 ms later.
const model = scriptedModel(async () => {
  process.send?.('asked');
  await new Promise((resolve) => {
    setTimeout(resolve, 300);
  });
  return 'Hello.';
});
const server = agentServer({ agents: [new Agent({ name: 'slow', model })] });
const { url } = await serve(server, { port: 0, signals: true });
process.send?.(url);
// The channel to the parent alone keeps no process alive.
process.channel?.unref();
