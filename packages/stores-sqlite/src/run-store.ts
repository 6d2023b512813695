import {
  isProgress,
  UserError,
  type DeltaChannel,
  type RunEvent,
  type RunHeader,
  type RunStore,
  type Signal,
} from '@agent-functions/core';
import { placeOf, toPage } from './cursor.ts';
import { toJsonText, toJsonTexts } from './json-text.ts';
import type { WorkerClient } from './worker-client.ts';

export function runStore(client: WorkerClient, channel: DeltaChannel): RunStore {
  return {
    channel,

    async create(header, first, { holder, ttlMs }) {
      const { runId, owner, sessionId, requestHash } = header;
      const made = await client.call(
        'createRun',
        {
          runId,
          owner,
          sessionId,
          requestHash,
          header: JSON.stringify(header),
          first: await toJsonText(first, client),
        },
        holder,
        ttlMs,
      );
      return 'lease' in made
        ? { created: true, lease: made.lease }
        : { created: false, header: JSON.parse(made.header) };
    },

    async header(runId) {
      const header = await client.call('header', runId);
      return header === undefined ? undefined : JSON.parse(header);
    },

    async append(runId, events, { expectedSeq, token, drained = [] }) {
      checkNumbers(runId, events, expectedSeq);
      const ends = events.some(({ type }) => type === 'run-end');
      await client.call('append', runId, {
        events: await toJsonTexts(events, client),
        expectedSeq,
        token,
        drained,
        progress: events.some(isProgress),
        ends,
      });
      if (ends) channel.clear(runId);
    },

    async *read(runId, { after = 0 } = {}) {
      for (let seq = after, more = true; more;) {
        const page = await client.call('readEvents', runId, seq);
        for (const json of page.events) {
          const event: RunEvent = JSON.parse(json);
          yield event;
          seq = event.seq;
        }
        more = page.more;
      }
    },

    peek: (runId) => client.call('peek', runId),
    acquire: (runId, { holder, ttlMs }) => client.call('acquire', runId, holder, ttlMs),
    renew: (runId, { token }, ttlMs) => client.call('renew', runId, token, ttlMs),

    async release(runId, { token }) {
      await client.call('release', runId, token);
      channel.clear(runId);
    },

    async post(runId, signal, { expiries = {} } = {}) {
      const decisions = signal.type === 'decide' ? signal.decisions : [];
      const { accepted, counted } = await client.call('post', runId, {
        id: signal.id,
        json: JSON.stringify(signal),
        decides: decisions.map(({ interruptionId: id }) => ({ id, expiresAt: expiries[id] })),
        bySystem: signal.by === 'system',
      });
      if (accepted) return { accepted };
      return counted === undefined ? { accepted } : { accepted, counted: JSON.parse(counted) };
    },

    async inbox(runId) {
      const signals = await client.call('inbox', runId);
      return signals.map((json): Signal => JSON.parse(json));
    },

    async list({ owner, sessionId, unfinished = false, limit, cursor }) {
      const before = placeOf(cursor);
      const found = await client.call('listRuns', { owner, sessionId, unfinished, limit, before });
      const { items, ...rest } = toPage(found, limit);
      return { runs: items.map(({ header }): RunHeader => JSON.parse(header)), ...rest };
    },

    async delete(runId) {
      await client.call('deleteRun', runId);
      channel.clear(runId);
    },
  };
}

function checkNumbers(runId: string, events: readonly RunEvent[], expectedSeq: number): void {
  for (const [index, { seq }] of events.entries()) {
    const place = expectedSeq + 1 + index;
    if (seq === place) continue;
    throw new UserError(
      `Event ${seq} of run '${runId}' was appended at place ${place}. Number events without a gap.`,
      { runId },
    );
  }
}
