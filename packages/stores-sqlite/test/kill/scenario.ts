import {
  jsonSchema,
  tool,
  type Agent,
  type Decision,
  type Interruption,
  type Json,
} from '@agent-functions/core';

/** What the outside world knows of a tool call: counted by a server that survives every kill. */
export interface Outside {
  /** Does the effect and counts it under the call's key. */
  effect(key: string, name: string): Promise<void>;
  /** How often the effect was done. */
  done(key: string): Promise<number>;
}

/** The outside world over HTTP. */
export function outsideAt(url: string): Outside {
  return {
    async effect(key, name) {
      const response = await fetch(`${url}/effect`, {
        method: 'POST',
        body: JSON.stringify({ key, name }),
      });
      if (!response.ok) throw new Error(`The effects server answered ${response.status}.`);
      await response.text();
    },
    async done(key) {
      const response = await fetch(`${url}/done?key=${encodeURIComponent(key)}`);
      return Number(await response.text());
    },
  };
}

export interface Scenario {
  readonly name: string;
  /** The agent, in whichever process. */
  agent(outside: Outside): Agent<unknown, Json | string>;
  readonly answer: Json;
  /** Tool results of the whole run, whatever was killed. */
  readonly calls: number;
  /** Model responses that are recorded, each once. */
  readonly requests: number;
  /** Handoffs of the whole run, in order: `from primitive to`. Default: none. */
  readonly hops?: readonly string[] | undefined;
  /** The agent that has the session's next turn. Default: the one that was asked. */
  readonly next?: string | undefined;
  /** The session is closed after the answer. */
  readonly closes?: boolean | undefined;
}

const object = jsonSchema<{ readonly note?: string }>(
  { type: 'object', properties: { note: { type: 'string' } } },
  {
    validate(value) {
      if (typeof value !== 'object' || value === null) throw new Error('expected an object');
      return value;
    },
  },
);

/** A tool whose effect is counted outside. */
export function effectTool(
  outside: Outside,
  name: string,
  effect: 'read' | 'idempotent' | 'once',
  more: {
    readonly needsApproval?: boolean;
    readonly reconcile?: boolean;
    readonly onAmbiguous?: 'ask';
  } = {},
) {
  return tool({
    name,
    description: `Does ${name}`,
    parameters: object,
    effect,
    needsApproval: more.needsApproval,
    onAmbiguous: more.onAmbiguous,
    execute: async (_input, { idempotencyKey }) => {
      await outside.effect(idempotencyKey, name);
      return `${name} done`;
    },
    ...(more.reconcile === true
      ? {
          reconcile: async (_input: unknown, { idempotencyKey }: { idempotencyKey: string }) =>
            (await outside.done(idempotencyKey)) > 0
              ? ({ done: true, output: `${name} done` } as const)
              : ({ done: false } as const),
        }
      : {}),
  });
}

/** A call of an effect tool. */
export const call = (name: string): readonly [string, Json] => [name, { note: 'ü 漢 🙂' }];

/** The answer of a person who knows what happened outside. */
export async function decide(
  runId: string,
  asked: Interruption,
  outside: Outside,
): Promise<Decision> {
  if (asked.kind === 'approval') return { interruptionId: asked.id, approved: true };
  const times = await outside.done(`${runId}/${asked.callId ?? ''}`);
  return times > 0
    ? { interruptionId: asked.id, outcome: 'done', output: `${asked.toolName} done` }
    : { interruptionId: asked.id, outcome: 'not-done' };
}
