/** A comment after so long without an event, so that nothing on the way takes the stream for dead. */
const heartbeatMs = 15_000;

const encoder = new TextEncoder();

/**
 * Messages as `text/event-stream`. What they throw before the first one is thrown here; later it is the last event.
 *
 * @param toText The data of an event.
 * @param toError The data of an event that says why there are no more.
 */
export async function eventStream<T>(
  messages: AsyncGenerator<T, void, undefined>,
  toText: (message: T) => string,
  toError: (error: unknown) => string,
  headers: Readonly<Record<string, string>>,
): Promise<Response> {
  let step = await messages.next();
  let heartbeat: ReturnType<typeof setInterval> | undefined;
  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        heartbeat = setInterval(() => controller.enqueue(encoder.encode(': \n\n')), heartbeatMs);
      },
      async pull(controller) {
        if (step.done !== true) {
          controller.enqueue(encoder.encode(`data: ${toText(step.value)}\n\n`));
          try {
            step = await messages.next();
            return;
          } catch (error) {
            controller.enqueue(encoder.encode(`data: ${toError(error)}\n\n`));
          }
        }
        clearInterval(heartbeat);
        controller.close();
      },
      cancel() {
        clearInterval(heartbeat);
        // Not awaited: a generator answers only when its present step is done.
        messages.return().catch(() => undefined);
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(body, {
    headers: {
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
      ...headers,
    },
  });
}
