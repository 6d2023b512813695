import type { Message } from '@agent-functions/core';

const seeAccounts = new Set<string | undefined>(['billing_agent', 'escalation_agent']);

/** The conversation without what agents said and looked up who see account data: `contextKeys` are not all that tells. */
export function withoutAccounts(messages: readonly Message[]): readonly Message[] {
  return messages.filter(({ agent }) => !seeAccounts.has(agent));
}
