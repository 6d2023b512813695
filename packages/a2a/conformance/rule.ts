import type { JsonObject } from '@agent-functions/core';
import { expect } from 'vitest';
import { objectOf, type Reply, type Wire } from './wire.ts';

/** What rules are asked of, beside the binding. */
export interface Surroundings {
  /** The same agent without push notifications, with an extension that it needs. */
  readonly bare: Wire;
  /** A receiver of push notifications, and what it was told. */
  readonly hook: string;
  readonly told: readonly JsonObject[];
  readonly toldHeaders: readonly (string | undefined)[];
}

/** One thing that the specification says with MUST. */
export interface Rule {
  readonly section: string;
  readonly rule: string;
  readonly holds: (wire: Wire, around: Surroundings) => Promise<void>;
}

/** An extension that the agent at `bare` needs. */
export const required = {
  uri: 'urn:example:needed',
  description: '',
  required: true,
  params: undefined,
};

let count = 0;
export function message(prefix: string, more: JsonObject = {}): JsonObject {
  count += 1;
  return {
    messageId: `${prefix}-${count}`,
    role: 'ROLE_USER',
    parts: [{ text: 'Hello' }],
    ...more,
  };
}

export const stateOf = (task: unknown): unknown => objectOf(objectOf(task)['status'])['state'];
export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
export const taskOf = ({ result }: Reply): JsonObject => objectOf(result['task']);

export async function task(wire: Wire, prefix = 'tck-complete-task'): Promise<JsonObject> {
  return taskOf(await wire.ask('SendMessage', { message: message(prefix) }));
}

/** The error by its name in the specification (3.3.2), with its code and status (5.4). */
const errors = {
  TASK_NOT_FOUND: [-32_001, 404],
  TASK_NOT_CANCELABLE: [-32_002, 400],
  PUSH_NOTIFICATION_NOT_SUPPORTED: [-32_003, 400],
  UNSUPPORTED_OPERATION: [-32_004, 400],
  CONTENT_TYPE_NOT_SUPPORTED: [-32_005, 415],
  EXTENSION_SUPPORT_REQUIRED: [-32_008, 400],
  VERSION_NOT_SUPPORTED: [-32_009, 400],
  INVALID_PARAMS: [-32_602, 400],
} as const;

export function expectError(wire: Wire, reply: Reply, reason: keyof typeof errors): void {
  const [code, status] = errors[reason];
  expect(reply.reason).toBe(reason);
  if (wire.name === 'JSONRPC') expect(reply.code).toBe(code);
  else expect([reply.status, reply.code]).toEqual([status, status]);
}
