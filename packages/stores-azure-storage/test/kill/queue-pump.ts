import type { QueueServiceClient } from '@azure/storage-queue';
import type { MiniHost } from '../../../azure-functions/test/mini-host.ts';

// What the Functions host does with a queue: https://learn.microsoft.com/azure/azure-functions/functions-bindings-storage-queue-trigger

/** How long a message that was taken is hidden. The host has no option for it, and shows it to nobody else if it dies. */
const hiddenSeconds = 600;
const batchSize = 16;
const maxDequeueCount = 5;
/** `maxPollingInterval` of host.json: from a tenth of a second up to it, twice as long after each look that found nothing. */
const minPollMs = 100;
const maxPollMs = 1_000;

export interface QueuePump {
  /** Takes no more messages. What was taken is done; its functions may still work. */
  stop(): Promise<void>;
}

/** Takes messages from the queue and hands each to the function that the app registered for it. */
export function queuePump(
  host: MiniHost,
  service: QueueServiceClient,
  report: (line: string) => void,
): QueuePump {
  const [trigger] = host.queues;
  if (trigger === undefined) throw new Error('The app has registered no queue function.');
  const { name, queueName } = trigger;
  const queue = service.getQueueClient(queueName);
  let stopped = false;

  const deliver = async (message: {
    readonly messageId: string;
    readonly popReceipt: string;
    readonly messageText: string;
    readonly dequeueCount: number;
  }): Promise<void> => {
    const { messageId, popReceipt, messageText, dequeueCount } = message;
    try {
      const text = Buffer.from(messageText, 'base64').toString();
      await host.deliver(name, { text, dequeueCount });
      await queue.deleteMessage(messageId, popReceipt);
    } catch (error) {
      report(`delivery ${dequeueCount} failed: ${String(error)}`);
      if (dequeueCount < maxDequeueCount) {
        await queue.updateMessage(messageId, popReceipt, undefined, 0);
      } else {
        await service.getQueueClient(`${queueName}-poison`).createIfNotExists();
        await service.getQueueClient(`${queueName}-poison`).sendMessage(messageText);
        await queue.deleteMessage(messageId, popReceipt);
      }
    }
  };

  const turning = (async () => {
    let pollMs = minPollMs;
    while (!stopped) {
      const { receivedMessageItems: found } = await queue
        .receiveMessages({ numberOfMessages: batchSize, visibilityTimeout: hiddenSeconds })
        // The store makes the queue with the first wake.
        .catch(() => ({ receivedMessageItems: [] }));
      for (const message of found) {
        deliver(message).catch((error: unknown) => report(`the queue failed: ${String(error)}`));
      }
      pollMs = found.length > 0 ? minPollMs : Math.min(maxPollMs, pollMs * 2);
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
  })();
  return {
    async stop() {
      stopped = true;
      await turning;
    },
  };
}
