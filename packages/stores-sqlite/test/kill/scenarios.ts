import {
  Agent,
  ModelError,
  tool,
  type Decision,
  type Interruption,
  type Json,
  type ModelRequest,
} from '@agent-functions/core';
import { scriptedModel, type ScriptedTurn } from '@agent-functions/core/testing';
import { jsonSchema } from '@agent-functions/core';

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

function effectTool(
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

/** The turn by what the conversation of the present run holds: the same in every process. */
function turns(script: readonly ScriptedTurn[]) {
  return scriptedModel((request) => script[answersOf(request)] ?? new Error('no such turn'));
}

function answersOf(request: ModelRequest): number {
  const runId = request.messages.at(-1)?.runId;
  return request.messages.filter((one) => one.role === 'assistant' && one.runId === runId).length;
}

const call = (name: string): readonly [string, Json] => [name, { note: 'ü 漢 🙂' }];

export const scenarios: readonly Scenario[] = [
  {
    name: 'text',
    answer: 'Hello from a run that may be killed at any moment.',
    calls: 0,
    agent: () =>
      new Agent({
        name: 'bot',
        model: turns(['Hello from a run that may be killed at any moment.']),
      }),
  },
  {
    name: 'all effects side by side',
    answer: 'All done.',
    calls: 5,
    agent: (outside) =>
      new Agent({
        name: 'bot',
        model: turns([
          { text: 'I will look.', calls: [call('look'), call('put'), call('pay'), call('pay')] },
          { calls: [call('pay')] },
          'All done.',
        ]),
        tools: [
          effectTool(outside, 'look', 'read'),
          effectTool(outside, 'put', 'idempotent'),
          effectTool(outside, 'pay', 'once'),
        ],
      }),
  },
  {
    name: 'approvals',
    answer: 'Refunded.',
    calls: 3,
    agent: (outside) =>
      new Agent({
        name: 'bot',
        model: turns([{ calls: [call('look'), call('refund'), call('refund')] }, 'Refunded.']),
        tools: [
          effectTool(outside, 'look', 'read'),
          effectTool(outside, 'refund', 'once', { needsApproval: true }),
        ],
      }),
  },
  {
    name: 'model retries',
    answer: 'Paid once.',
    calls: 1,
    agent: (outside) => {
      const failed = new Set<number>();
      return new Agent({
        name: 'bot',
        modelSettings: { retry: { initialDelayMs: 5 } },
        model: scriptedModel((request) => {
          const index = answersOf(request);
          if (!failed.has(index)) {
            failed.add(index);
            return {
              text: 'This text is with',
              error: new ModelError('busy', { reason: 'overloaded' }),
            };
          }
          return index === 0 ? { calls: [call('pay')] } : 'Paid once.';
        }),
        tools: [effectTool(outside, 'pay', 'once')],
      });
    },
  },
  {
    name: 'structured output',
    answer: { n: 3 },
    calls: 1,
    agent: (outside) =>
      new Agent<unknown, Json | string>({
        name: 'bot',
        model: turns([{ calls: [call('put')] }, { json: { n: 'three' } }, { json: { n: 3 } }]),
        tools: [effectTool(outside, 'put', 'idempotent')],
        outputType: jsonSchema<Json>(
          { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] },
          {
            validate(value) {
              if (typeof value === 'object' && value !== null && 'n' in value) {
                const { n } = value;
                if (typeof n === 'number') return { n };
              }
              throw new Error('n must be a number');
            },
          },
        ),
      }),
  },
  {
    name: 'once, looked up or asked for',
    answer: 'Sent and booked.',
    calls: 2,
    agent: (outside) =>
      new Agent({
        name: 'bot',
        model: turns([{ calls: [call('send'), call('book')] }, 'Sent and booked.']),
        tools: [
          effectTool(outside, 'send', 'once', { reconcile: true }),
          effectTool(outside, 'book', 'once', { onAmbiguous: 'ask' }),
        ],
      }),
  },
];

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
