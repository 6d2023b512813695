import type { JsonObject, Message, SessionStore } from '@agent-functions/core';
import { placeOf, toPage } from './cursor.ts';
import { toJsonText, toJsonTexts } from './json-text.ts';
import type { WorkerClient } from './worker-client.ts';

export function sessionStore(client: WorkerClient): SessionStore {
  return {
    async load(sessionId) {
      const stored = await client.call('loadSession', sessionId);
      if (stored === undefined) return { sessionId, version: '0', messages: [], state: {} };
      const state: JsonObject = JSON.parse(stored.state);
      const messages = stored.messages.map((json): Message => JSON.parse(json));
      return { ...stored, sessionId, messages, state };
    },

    async commit(sessionId, change, { expectedVersion, operationId }) {
      const { append, replaceWith, state } = change;
      const texts = {
        owner: change.owner,
        entryAgent: change.entryAgent,
        activeAgent: change.activeAgent,
        activeRunId: change.activeRunId,
        activeConfirmed: change.activeConfirmed,
        closed: change.closed,
        append: append === undefined ? undefined : await toJsonTexts(append, client),
        replaceWith: replaceWith === undefined ? undefined : await toJsonTexts(replaceWith, client),
        state: state === undefined ? undefined : await toJsonText(state, client),
      };
      return {
        version: await client.call('commitSession', sessionId, texts, expectedVersion, operationId),
      };
    },

    async list({ owner, limit, cursor }) {
      const found = await client.call('listSessions', { owner, limit, before: placeOf(cursor) });
      const { items, ...rest } = toPage(found, limit);
      return {
        sessions: items.map(({ sessionId, updatedAt }) => ({ sessionId, updatedAt })),
        ...rest,
      };
    },

    async delete(sessionId) {
      await client.call('deleteSession', sessionId);
    },
  };
}
