import type { Wake } from '@agent-functions/core';
import type { Account } from './account.ts';
import type { Clock } from './clock.ts';

/** The longest that a queue keeps a message out of sight: https://learn.microsoft.com/rest/api/storageservices/put-message */
const longestSeconds = 7 * 24 * 3600;

/**
 * Wakes by messages of a queue, which show when they are due: the JSON of the call, base64 as Functions read it. They
 * never expire. What is due later than in seven days comes after seven.
 */
export function queueWake(
  account: Account,
  clock: Clock,
  options: { readonly queueName: string; readonly connection: string | undefined },
): Wake {
  const { queueName, connection } = options;
  return {
    async schedule(call, atMs) {
      const seconds = Math.ceil((atMs - clock.now()) / 1_000);
      const visibilityTimeout = Math.min(Math.max(0, seconds), longestSeconds);
      const message = Buffer.from(JSON.stringify(call)).toString('base64');
      await account.queue(queueName, (queue, abortSignal) =>
        queue.sendMessage(message, { visibilityTimeout, messageTimeToLive: -1, abortSignal }),
      );
    },
    ...(connection === undefined
      ? {}
      : { trigger: { type: 'queue' as const, queueName, connection } }),
  };
}
