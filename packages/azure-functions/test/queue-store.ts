import { memoryStore, type Store, type WakeCall } from '@agent-functions/core';
import type { MiniHost } from './mini-host.ts';

interface Message {
  readonly call: WakeCall | string;
  readonly atMs: number;
  dequeueCount: number;
}

/** A store that outlives the apps of a test, with a queue whose messages the test delivers as the host would. */
export interface QueueStore {
  readonly store: Store;
  /** What is not delivered yet. */
  readonly messages: readonly Message[];
  /** What the host has put aside. */
  readonly poison: readonly Message[];
  /** Puts a message in that the store did not write. */
  put(text: string): void;
  /** Delivers each message that is due, until the queue has none. Resolves when the functions have returned. */
  deliverDue(host: MiniHost): Promise<void>;
  /** Delivers what becomes due, until told to stop. */
  pump(host: MiniHost): { stop(): Promise<void> };
}

const maxDequeueCount = 5;

export function queueStore(memory: Store = memoryStore()): QueueStore {
  const messages: Message[] = [];
  const poison: Message[] = [];
  const deliver = async (host: MiniHost, message: Message): Promise<void> => {
    message.dequeueCount += 1;
    const text = typeof message.call === 'string' ? message.call : JSON.stringify(message.call);
    try {
      await host.deliver('agents-wake', { text, dequeueCount: message.dequeueCount });
    } catch {
      if (message.dequeueCount < maxDequeueCount) messages.push(message);
      else poison.push(message);
    }
  };
  const due = async (): Promise<readonly Message[]> => {
    const now = await memory.now();
    const found = messages.filter(({ atMs }) => atMs <= now);
    for (const one of found) messages.splice(messages.indexOf(one), 1);
    return found;
  };
  return {
    store: {
      ...memory,
      durable: true,
      wake: {
        schedule: async (call, atMs) => {
          messages.push({ call, atMs, dequeueCount: 0 });
        },
        trigger: { type: 'queue', queueName: 'agents-wake', connection: 'AzureWebJobsStorage' },
      },
    },
    messages,
    poison,
    put: (text) => void messages.push({ call: text, atMs: 0, dequeueCount: 0 }),
    async deliverDue(host) {
      for (let found = await due(); found.length > 0; found = await due()) {
        await Promise.all(found.map((message) => deliver(host, message)));
      }
    },
    pump(host) {
      const running = new Set<Promise<void>>();
      let stopped = false;
      const turning = (async () => {
        while (!stopped) {
          for (const message of await due()) {
            const one = deliver(host, message).finally(() => running.delete(one));
            running.add(one);
          }
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
      })();
      return {
        async stop() {
          stopped = true;
          await turning;
          await Promise.all(running);
        },
      };
    },
  };
}
