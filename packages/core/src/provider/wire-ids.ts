import { wireCallId, type Message } from '../message.ts';
import { isRecord } from './wire-json.ts';

/** The id of a call in this request, for the call and for its result. */
export type WireIds = (message: Message, callId: string) => string;

/**
 * Ids of the tool calls in a request: the vendor's own (`id` of the provider's data) where no other call has the same,
 * else one made of run and call.
 */
export function wireIds(provider: string, messages: readonly Message[]): WireIds {
  const own = new Map<string, string>();
  const uses = new Map<string, number>();
  for (const message of messages) {
    for (const part of message.parts) {
      if (part.type !== 'tool-call') continue;
      const data = part.providerData?.[provider];
      const id = isRecord(data) ? data['id'] : undefined;
      if (typeof id !== 'string' || id === '') continue;
      own.set(keyOf(message, part.callId), id);
      uses.set(id, (uses.get(id) ?? 0) + 1);
    }
  }
  return (message, callId) => {
    const id = own.get(keyOf(message, callId));
    return id !== undefined && uses.get(id) === 1 ? id : wireCallId(message.runId, callId);
  };
}

function keyOf(message: Message, callId: string): string {
  return `${message.runId ?? ''}/${callId}`;
}
