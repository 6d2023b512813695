import { isRecord, parsed, recordOf } from '@agent-functions/core/provider';

/** The id of the request that a body holds; `undefined` where it is no request. */
export function idOf(body: unknown): string | number | undefined {
  const message = typeof body === 'string' ? parsed(body) : undefined;
  return isRecord(message) && typeof message['method'] === 'string'
    ? idIn(message['id'])
    : undefined;
}

/** The id of the request that a body takes back. */
export function cancelledId(body: unknown): string | number | undefined {
  if (typeof body !== 'string' || !body.includes('notifications/cancelled')) return undefined;
  const message = recordOf(parsed(body));
  return message['method'] === 'notifications/cancelled'
    ? idIn(recordOf(message['params'])['requestId'])
    : undefined;
}

function idIn(id: unknown): string | number | undefined {
  return typeof id === 'number' || typeof id === 'string' ? id : undefined;
}
