import type { Decision } from '@agent-functions/core';

/** How a client asks: for one answer, for a stream, or for a 202 at once. */
export type Asking = 'json' | 'stream' | 'later';

/** Sends the message, with the key by which it counts once. What becomes of the answer is not its concern. */
export async function ask(
  url: string,
  agent: string,
  {
    key,
    sessionId,
    asking,
  }: { readonly key: string; readonly sessionId: string; readonly asking: Asking },
): Promise<void> {
  const how = {
    json: {},
    stream: { accept: 'text/event-stream' },
    later: { prefer: 'respond-async' },
  }[asking];
  await send(
    `${url}/api/agents/${agent}/chat`,
    { message: 'Please do it.', session_id: sessionId },
    {
      'idempotency-key': key,
      ...how,
    },
  );
}

/** Answers what a run asks. */
export async function answer(
  url: string,
  runId: string,
  decisions: readonly Decision[],
): Promise<void> {
  const body = decisions.map(({ interruptionId, ...rest }) => ({
    interruption_id: interruptionId,
    ...rest,
  }));
  await send(`${url}/api/runs/${runId}/decisions`, body, {});
}

async function send(url: string, body: unknown, headers: Record<string, string>): Promise<void> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    // 409: it was answered before.
    if (response.status >= 400 && response.status !== 409 && response.status !== 503) {
      console.error(`${url} answered ${response.status}: ${text}`);
    }
  } catch {
    // The worker is gone.
  }
}
