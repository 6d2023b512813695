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
  /** Takes no more messages, and puts back what a process that is gone would not have taken. */
  putBack(): Promise<void>;
}

/** Takes messages from the queue and hands each to the function that the app registered for it. */
export function queuePump(
  host: MiniHost,
  service: QueueServiceClient,
  options: {
    readonly report: (line: string) => void;
    /** Whose messages a process that is gone would not take: they are kept, to be put back. */
    readonly isGone: (runId: string) => boolean;
  },
): QueuePump {
  const { report, isGone } = options;
  const [trigger] = host.queues;
  if (trigger === undefined) throw new Error('The app has registered no queue function.');
  const { name, queueName } = trigger;
  const queue = service.getQueueClient(queueName);
  const kept: { readonly messageId: string; readonly popReceipt: string }[] = [];
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
      const { runId }: { runId: string } = JSON.parse(text);
      if (isGone(runId)) {
        kept.push({ messageId, popReceipt });
        return;
      }
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
        .catch((error: unknown) => {
          // The store makes the queue with the first wake.
          if (!String(error).includes('404')) report(`no messages: ${String(error)}`);
          return { receivedMessageItems: [] };
        });
      for (const message of found) {
        deliver(message).catch((error: unknown) => report(`the queue failed: ${String(error)}`));
      }
      pollMs = found.length > 0 ? minPollMs : Math.min(maxPollMs, pollMs * 2);
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
  })();
  return {
    async putBack() {
      stopped = true;
      await turning;
      await Promise.all(
        kept.map(({ messageId, popReceipt }) =>
          queue.updateMessage(messageId, popReceipt, undefined, 0),
        ),
      );
    },
  };
}
