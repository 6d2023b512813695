import type { JsonObject } from '@agent-functions/core';

/** What somebody says in a sample conversation: a text; or with who says it, and what the request tells of them. */
export type Saying =
  | string
  | {
      /** Each user has a session. */
      readonly user: string;
      readonly message: string;
      /** The `context` of the request. */
      readonly context?: JsonObject | undefined;
    };

/** The same in one form. */
export function spelledOut(saying: Saying): {
  readonly user: string;
  readonly message: string;
  readonly context: JsonObject;
} {
  if (typeof saying === 'string') return { user: 'user', message: saying, context: {} };
  return { ...saying, context: saying.context ?? {} };
}
