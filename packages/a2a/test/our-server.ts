import {
  Agent,
  askForInput,
  jsonSchema,
  memoryStore,
  tool,
  type RunHeader,
  type Store,
} from '@agent-functions/core';
import { scriptedModel } from '@agent-functions/core/testing';
import { agentServer } from '@agent-functions/server';
import { serve } from '@agent-functions/server/node';
import { a2a } from '../src/index.ts';
import { saidBy } from './teller.ts';

export interface OurServer extends AsyncDisposable {
  /** Where the agent is. */
  readonly url: string;
  readonly store: Store;
  /** The runs that messages began. */
  runs(): Promise<readonly RunHeader[]>;
  /** Refunds that were paid. */
  readonly paid: unknown[];
}

const anything = jsonSchema({ type: 'object' }, { validate: (value) => value });

/**
 * A bank as an A2A server of this library. `ask`: it asks which currency. `refund`: it pays when a person approves. `slow`:
 * it works until it is cancelled. Else it repeats what it is told.
 */
export async function ourServer(
  options: {
    /** Of a server before this one. */
    readonly store?: Store;
    readonly port?: number;
    /** `slow` comes to an end. */
    readonly quick?: boolean;
  } = {},
): Promise<OurServer> {
  const { store = memoryStore(), port = 0 } = options;
  const paid: unknown[] = [];
  const which = tool({
    name: 'which',
    description: 'Asks which currency.',
    effect: 'read',
    parameters: anything,
    execute: (_, { answer }) => answer ?? askForInput({ message: 'Which currency?' }),
  });
  const refund = tool({
    name: 'refund',
    description: 'Pays a refund.',
    needsApproval: true,
    parameters: anything,
    execute: (input) => paid.push(input),
  });
  const model = scriptedModel(({ messages }) => {
    const last = messages.at(-1);
    const said = last?.parts.map((part) => (part.type === 'text' ? part.text : '')).join('') ?? '';
    if (last?.role === 'tool') return `You said ${last.parts.map(saidBy).join()}.`;
    if (said.includes('ask')) return { calls: [['which', {}]] };
    if (said.includes('refund')) return { calls: [['refund', { euros: 40 }]] };
    if (said.includes('slow')) {
      return options.quick === true ? 'Half and whole.' : { text: 'Half ', hang: true };
    }
    return `Echo: ${said}`;
  });
  const bank = new Agent({
    name: 'bank',
    description: 'A bank.',
    model,
    tools: [which, refund],
  });
  const server = agentServer({
    agents: [bank],
    store,
    protocols: [a2a()],
    onDisconnect: 'continue',
    leaseMs: 1_000,
  });
  const serving = await serve(server, { port });
  return {
    url: `${serving.url}/a2a/bank`,
    store,
    paid,
    runs: async () => (await store.runs.list({ limit: 100 })).runs,
    [Symbol.asyncDispose]: () => serving.close({ graceMs: 0 }),
  };
}
