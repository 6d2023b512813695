import { checkCount } from './check-number.ts';
import { checkOptions, type OptionKinds } from './check-options.ts';
import { compacted, planCompaction } from './compaction.ts';
import { AgentError } from './errors.ts';
import type { Compaction } from './events.ts';
import { jsonSizeOver } from './json.ts';
import type { Message } from './message.ts';
import type { SessionSnapshot } from './store.ts';

/**
 * How large a conversation may be when a run begins in it; a run reads it whole, and may be taken up by a process that
 * does so again.
 */
export interface SessionLimits {
  /** Default 2,000. */
  readonly messages?: number | undefined;
  /** About: as JSON. Default 8,000,000. */
  readonly bytes?: number | undefined;
}

const kinds: OptionKinds<SessionLimits> = { messages: 'any', bytes: 'any' };

/** @throws UserError for limits that cannot be meant. */
export function checkSessionLimits(limits: SessionLimits | undefined): void {
  if (limits === undefined) return;
  checkOptions('sessionLimits', limits, kinds);
  checkCount('sessionLimits.messages', limits.messages, 1);
  checkCount('sessionLimits.bytes', limits.bytes, 1);
}

/**
 * The compaction of a run in this session: due at once where the session is too large without.
 *
 * @throws AgentError `limit` for a session that is too large.
 */
export function fittingCompaction(
  { sessionId, messages }: Pick<SessionSnapshot, 'sessionId' | 'messages'>,
  limits: SessionLimits | undefined,
  compaction: Compaction | undefined,
): Compaction | undefined {
  const { messages: most = 2_000, bytes = 8_000_000 } = limits ?? {};
  const fits = (kept: readonly Message[]): boolean =>
    kept.length <= most && jsonSizeOver(kept, bytes) === undefined;
  if (fits(messages)) return compaction;
  const plan = compaction === undefined ? undefined : planCompaction(messages, compaction);
  if (compaction !== undefined && plan !== undefined && fits(compacted(messages, plan))) {
    return { ...compaction, trigger: { messages: 0 } };
  }
  const size =
    messages.length > most
      ? `${messages.length} messages; it may have ${most}`
      : `more than the ${bytes} bytes that it may have`;
  throw new AgentError(
    'limit',
    `Conversation ${sessionId} has ${size} (sessionLimits)${compaction === undefined ? '' : ', and compaction does not make it fit'}. Begin a new one or reset it (reset_conversation of a chat, Runner.resetConversation in code)${compaction === undefined ? ', or have old messages left out (compaction)' : ''}.`,
  );
}
