import { UserError } from '@agent-functions/core';

/** What the store makes in the account. */
export interface Names {
  /** Journals and inboxes. */
  readonly runs: string;
  readonly sessions: string;
  /** What lists and clean-ups look at. */
  readonly index: string;
  /** The blob container of large values. */
  readonly values: string;
}

export const defaultPrefix = 'agentfunctions';

// Tables: 3 to 63 letters and digits. Containers and queues: 3 to 63 small letters, digits and single hyphens.
// https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model
const prefixRule = /^[a-z][a-z0-9]{2,49}$/;
const queueRule = /^(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*$/;

/** @throws UserError for a prefix that no table or container may have. */
export function namesOf(prefix: string): Names {
  if (!prefixRule.test(prefix)) {
    throw new UserError(
      `azureStorageStore was given the prefix ${JSON.stringify(prefix)}. Tables and containers are named after it: write 3 to 50 small letters and digits, a letter first.`,
    );
  }
  return {
    runs: `${prefix}runs`,
    sessions: `${prefix}sessions`,
    index: `${prefix}index`,
    values: `${prefix}-values`,
  };
}

/** @throws UserError for what no queue may be called. */
export function checkQueueName(name: string): string {
  if (queueRule.test(name)) return name;
  throw new UserError(
    `azureStorageStore was given the wakeQueue ${JSON.stringify(name)}. A queue's name is 3 to 63 small letters, digits and single hyphens between them.`,
  );
}
