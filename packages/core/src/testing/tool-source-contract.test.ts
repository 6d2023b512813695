import { afterAll, beforeAll, describe, it } from 'vitest';
import { z } from 'zod';
import { tool, type ToolSource } from '../tool.ts';
import { orAbort } from '../wait.ts';
import { toolSourceContract } from './index.ts';

// The smallest source: tools of this process, with a connection that can go away.
function localSource(): { source: ToolSource; goAway: () => void } {
  let connected = true;
  const check = (): void => {
    if (!connected) throw new Error('The other side has gone.');
  };
  const tools = [
    tool({
      name: 'greet',
      description: 'Greets.',
      parameters: z.object({ name: z.string() }),
      execute: ({ name }) => {
        check();
        if (name === 'nobody') throw new Error('nobody is not a name');
        return `Hello, ${name}.`;
      },
    }),
    tool({
      name: 'count',
      description: 'Counts, and shows how far it is.',
      parameters: z.object({}),
      async *execute() {
        yield 1;
        return { counted: 2 };
      },
    }),
    tool({
      name: 'wait',
      description: 'Waits for ever.',
      parameters: z.object({}),
      execute: (_, { signal }) => orAbort(new Promise(() => undefined), signal),
    }),
  ];
  return {
    source: {
      name: 'local',
      listTools: ({ signal }) => orAbort(Promise.resolve(tools), signal),
      close: () => Promise.resolve(),
    },
    goAway: () => {
      connected = false;
    },
  };
}

for (const works of [
  { toolName: 'greet', input: { name: 'Ann' }, says: 'Hello, Ann' },
  { toolName: 'count', input: {}, says: '2' },
]) {
  toolSourceContract(
    { describe, it, beforeAll, afterAll },
    `tools of this process (${works.toolName})`,
    async () => {
      const { source, goAway } = localSource();
      return {
        source,
        works,
        misfit: { toolName: 'greet', input: { name: 7 } },
        fails: { toolName: 'greet', input: { name: 'nobody' }, says: 'nobody is not a name' },
        slow: { toolName: 'wait', input: {} },
        ...(works.toolName === 'greet' ? { goAway: async () => goAway() } : {}),
        dispose: () => Promise.resolve(),
      };
    },
  );
}
