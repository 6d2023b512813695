import * as fc from 'fast-check';
import { z } from 'zod';
import { Agent } from '../src/agent.ts';
import { ModelError } from '../src/errors.ts';
import type { Compaction } from '../src/events.ts';
import type { Decision, Interruption } from '../src/interruption.ts';
import { isJsonObject } from '../src/json.ts';
import type { Message } from '../src/message.ts';
import { scriptedModel, type ScriptedCall } from '../src/testing/index.ts';
import { tool } from '../src/tool.ts';

// Random scripts for the laws of the engine: what a run meets, written down so that it meets it again elsewhere.

const toolNames = ['look', 'keep', 'pay', 'flaky', 'broken', 'ask', 'ask_if', 'missing'] as const;

export interface CallPlan {
  readonly tool: (typeof toolNames)[number];
  readonly n: number;
  /** The arguments do not fit the schema. */
  readonly misfit: boolean;
  readonly decide: 'approve' | 'reject' | 'edit';
  /** The run is cancelled while this call runs. */
  readonly cancels: boolean;
}

export interface TurnPlan {
  readonly calls: readonly CallPlan[];
  /** Failures of the model before it answers. */
  readonly failures: 0 | 1 | 2;
  /** The model is down for good. */
  readonly fatal: boolean;
  /** The run is cancelled while the model works. */
  readonly cancels: boolean;
}

export interface RunPlan {
  readonly turns: readonly TurnPlan[];
  /** Answers that do not fit the output type before the one that does; `undefined`: the output is text. */
  readonly misfits: number | undefined;
  readonly inSession: boolean;
  readonly maxTurns: number;
  readonly compaction: Compaction | undefined;
}

const rarely = fc.integer({ min: 0, max: 15 }).map((n) => n === 0);

const callPlan: fc.Arbitrary<CallPlan> = fc.record({
  tool: fc.constantFrom(...toolNames),
  n: fc.integer({ min: 0, max: 9 }),
  misfit: rarely,
  decide: fc.constantFrom('approve', 'reject', 'edit'),
  cancels: rarely,
});

const turnPlan: fc.Arbitrary<TurnPlan> = fc.record({
  calls: fc.array(callPlan, { minLength: 1, maxLength: 4 }),
  failures: fc.constantFrom(0, 0, 0, 1, 2),
  fatal: rarely,
  cancels: rarely,
});

export const runPlan: fc.Arbitrary<RunPlan> = fc.record({
  turns: fc.array(turnPlan, { maxLength: 4 }),
  misfits: fc.constantFrom(undefined, undefined, 0, 1, 3),
  inSession: fc.boolean(),
  maxTurns: fc.constantFrom(10, 10, 10, 3),
  compaction: fc.constantFrom<(Compaction | undefined)[]>(
    undefined,
    { trigger: { messages: 1 }, keepLast: 1 },
    { trigger: { messages: 4 }, keepLast: 2, clearToolResults: true },
    { trigger: { tokens: 5 }, keepLast: 3 },
    { trigger: { tokens: 5, messages: 8 }, clearToolResults: true },
  ),
});

/** The outside of a run: what survives the processes that run it. */
export class World {
  readonly plan: RunPlan;
  /** `tool callId` for each time a tool's effect happened. */
  readonly effects: string[] = [];
  /** What no vendor would take: results without calls, calls without results, a conversation that begins in its middle. */
  readonly misshapen: string[] = [];
  readonly abort = new AbortController();
  readonly #failures = new Map<number, number>();
  readonly #flaky = new Set<string>();

  constructor(plan: RunPlan) {
    this.plan = plan;
  }

  /** The agent as a fresh process has it. */
  agent() {
    const { plan } = this;
    const happened = (name: string, callId: string) => this.effects.push(`${name} ${callId}`);
    const parameters = z.object({
      n: z.number(),
      decide: z.string(),
      cancels: z.boolean(),
    });
    const named = (name: string) => ({ name, description: name, parameters });
    const cancelIf = (cancels: boolean) => {
      if (cancels) this.abort.abort();
    };
    const tools = [
      tool({
        ...named('look'),
        effect: 'read',
        execute: ({ n, cancels }, { callId, sessionState, updateSessionState }) => {
          happened('look', callId);
          updateSessionState({ looked: n, [`n${n}`]: sessionState['kept'] ?? 0 });
          cancelIf(cancels);
          return { n };
        },
      }),
      tool({
        ...named('keep'),
        effect: 'idempotent',
        execute: async ({ n, cancels }, context) => {
          const { callId, checkpoint, lastCheckpoint, updateSessionState } = context;
          if (lastCheckpoint === undefined) await checkpoint({ n });
          updateSessionState({ kept: n, before: null });
          happened('keep', callId);
          cancelIf(cancels);
          await Promise.resolve();
          return n;
        },
      }),
      tool({
        ...named('pay'),
        effect: 'once',
        execute: async ({ n, cancels }, { callId }) => {
          happened('pay', callId);
          cancelIf(cancels);
          await Promise.resolve();
          return `paid ${n}`;
        },
      }),
      tool({
        ...named('flaky'),
        effect: 'idempotent',
        retry: { maxRetries: 1 },
        execute: ({ n, cancels }, { callId, updateSessionState }) => {
          cancelIf(cancels);
          updateSessionState({ flaky: n, [`try ${this.#flaky.has(callId) ? 2 : 1}`]: n });
          if (!this.#flaky.has(callId)) {
            this.#flaky.add(callId);
            throw new Error('not the first time');
          }
          return n;
        },
      }),
      tool({
        ...named('broken'),
        execute: ({ cancels }, { callId, updateSessionState }) => {
          happened('broken', callId);
          updateSessionState({ broken: true });
          cancelIf(cancels);
          throw new Error('never works');
        },
      }),
      tool({
        ...named('ask'),
        needsApproval: true,
        execute: ({ n, cancels }, { callId }) => {
          happened('ask', callId);
          cancelIf(cancels);
          return { n };
        },
      }),
      tool({
        ...named('ask_if'),
        needsApproval: async ({ n }) => n > 4,
        effect: 'read',
        execute: ({ n }, { callId }) => {
          happened('ask_if', callId);
          return { n };
        },
      }),
    ];
    const base = {
      name: 'bot',
      model: this.model(),
      tools,
      maxTurns: plan.maxTurns,
      modelSettings: { retry: { initialDelayMs: 0 } },
    };
    return plan.misfits === undefined
      ? new Agent<unknown, unknown>(base)
      : new Agent<unknown, unknown>({ ...base, outputType: z.object({ done: z.boolean() }) });
  }

  model() {
    const { turns, misfits } = this.plan;
    return scriptedModel(({ messages }) => {
      if (!isWhole(messages)) this.misshapen.push(JSON.stringify(messages));
      const runId = messages.at(-1)?.runId;
      const answered = messages.filter((one) => one.role === 'assistant' && one.runId === runId);
      const index = answered.length;
      const turn = turns[index];
      if (turn === undefined) {
        if (misfits === undefined) return `The end after ${index} turns.`;
        return { json: { done: index - turns.length < misfits ? 'no' : true } };
      }
      const failed = this.#failures.get(index) ?? 0;
      if (turn.fatal) return new ModelError('no', { reason: 'authentication' });
      if (failed < turn.failures) {
        this.#failures.set(index, failed + 1);
        return { text: 'Void: this ', error: new ModelError('busy', { reason: 'overloaded' }) };
      }
      if (turn.cancels) this.abort.abort();
      return { text: `Turn ${index}.`, calls: turn.calls.map(toCall) };
    });
  }

  decideAll(result: { readonly interruptions: readonly Interruption[] }): Decision[] {
    return result.interruptions.map((one) => this.decide(one));
  }

  /** What a person answers; the same for the same question. */
  decide({ id, kind, input }: Interruption): Decision {
    if (kind !== 'approval') return { interruptionId: id, outcome: 'not-done' };
    const plan = isJsonObject(input) ? input : {};
    if (plan['decide'] === 'reject') {
      return { interruptionId: id, approved: false, message: 'Not today.' };
    }
    return plan['decide'] === 'edit'
      ? { interruptionId: id, approved: true, input: { ...plan, n: 77 } }
      : { interruptionId: id, approved: true };
  }
}

function isWhole(messages: readonly Message[]): boolean {
  const ids = (type: 'tool-call' | 'tool-result') =>
    messages
      .flatMap(({ runId, parts }) =>
        parts.flatMap((part) => (part.type === type ? [`${runId} ${part.callId}`] : [])),
      )
      .toSorted();
  const [first] = messages;
  const calls = ids('tool-call');
  const results = ids('tool-result');
  return (
    first?.role === 'user' &&
    !first.id.endsWith('.v') &&
    calls.length === results.length &&
    calls.every((id, index) => id === results[index])
  );
}

function toCall({ tool: name, n, misfit, decide, cancels }: CallPlan): ScriptedCall {
  if (misfit) return n % 2 === 0 ? { toolName: name, inputText: '{"n":' } : [name, { n: 'much' }];
  return [name, { n, decide, cancels }];
}
