import * as fc from 'fast-check';
import { z } from 'zod';
import { Agent } from '../src/agent.ts';
import { ModelError } from '../src/errors.ts';
import type { Decision, Interruption } from '../src/interruption.ts';
import type { Message } from '../src/message.ts';
import { textOf } from '../src/message.ts';
import { scriptedModel, type ScriptedCall, type ScriptedTurn } from '../src/testing/index.ts';
import { tool } from '../src/tool.ts';

// Random trees of agents at work: who calls whom, who hands over, which tools run, who fails. A plan is written into the
// requests, so that a process that knows the journal only finds its place in it.

const tools = ['look', 'keep', 'pay', 'ask'] as const;

export type CallPlan =
  | { readonly type: 'tool'; readonly name: (typeof tools)[number]; readonly refuse: boolean }
  | { readonly type: 'call' | 'transfer'; readonly to: FramePlan };

export interface FramePlan {
  readonly turns: readonly (readonly CallPlan[])[];
  readonly ending: 'answer' | 'fail';
}

const toolPlan: fc.Arbitrary<CallPlan> = fc.record({
  type: fc.constant('tool' as const),
  name: fc.constantFrom(...tools),
  refuse: fc.boolean(),
});

/** Agents hand on to the next level only, so no conversation goes round. */
const levels = 4;

function framePlan(level: number): fc.Arbitrary<FramePlan> {
  const call: fc.Arbitrary<CallPlan> =
    level + 1 === levels
      ? toolPlan
      : fc.oneof(
          { weight: 2, arbitrary: toolPlan },
          { weight: 3, arbitrary: handoverPlan('call', level + 1) },
          { weight: 1, arbitrary: handoverPlan('transfer', level + 1) },
        );
  return fc.record({
    turns: fc.array(fc.array(call, { minLength: 1, maxLength: 3 }), { maxLength: 2 }),
    ending: fc.constantFrom('answer', 'answer', 'answer', 'fail'),
  });
}

function handoverPlan(type: 'call' | 'transfer', level: number): fc.Arbitrary<CallPlan> {
  return framePlan(level).map((to) => ({ type, to }));
}

export const treePlan: fc.Arbitrary<FramePlan> = framePlan(0);

/** The outside of a run: what survives the processes that run it. */
export class FrameWorld {
  readonly plan: FramePlan;
  /** `tool callId` for each time a tool's effect happened. */
  readonly effects: string[] = [];
  readonly #onEffect: (count: number) => void;

  constructor(plan: FramePlan, onEffect: (count: number) => void = () => undefined) {
    this.plan = plan;
    this.#onEffect = onEffect;
  }

  /** The first agent as a fresh process has it. */
  agent(): Agent {
    let next: Agent | undefined;
    for (let level = levels - 1; level >= 0; level -= 1) next = this.#agent(level, next);
    if (next === undefined) throw new Error();
    return next;
  }

  #agent(level: number, next: Agent | undefined): Agent {
    return new Agent({
      name: `a${level}`,
      model: scriptedModel(({ messages }) => this.#turn(messages, level)),
      tools: [
        ...tools.map((name) => this.#tool(name)),
        ...(next === undefined ? [] : [next.asTool({ toolName: 'next' })]),
      ],
      ...(next === undefined ? {} : { handoffs: [next] }),
      modelSettings: { retry: { maxRetries: 0 } },
    });
  }

  #tool(name: (typeof tools)[number]) {
    return tool({
      name,
      description: name,
      parameters: z.object({ refuse: z.boolean() }),
      effect: name === 'look' ? 'read' : name === 'keep' ? 'idempotent' : 'once',
      needsApproval: name === 'ask',
      execute: async (_input, { callId }) => {
        this.effects.push(`${name} ${callId}`);
        this.#onEffect(this.effects.length);
        await Promise.resolve();
        return `${name} done`;
      },
    });
  }

  // The request says where in the plan the agent is; the turns since, how far it got.
  #turn(messages: readonly Message[], level: number): ScriptedTurn {
    const asked = messages.findLastIndex(({ role }) => role === 'user');
    const request = messages[asked];
    const path = request === undefined ? '' : (textOf(request).match(/at:([\d.]*)/)?.[1] ?? '');
    const done = messages.slice(asked).filter(({ role }) => role === 'assistant').length;
    const plan = this.#at(path);
    const calls = plan.turns[done];
    if (calls === undefined) {
      if (plan.ending === 'answer') return `a${level} answers ${path}.`;
      return new ModelError(`a${level} is down`, { reason: 'authentication' });
    }
    return {
      text: `Turn ${done} of ${path}.`,
      calls: calls.map((call, index): ScriptedCall => {
        if (call.type === 'tool') return [call.name, { refuse: call.refuse }];
        const name = call.type === 'call' ? 'next' : `handoff_to_a${level + 1}`;
        return [name, { message: `at:${path}${path === '' ? '' : '.'}${done}.${index}` }];
      }),
    };
  }

  #at(path: string): FramePlan {
    const steps = path === '' ? [] : path.split('.').map(Number);
    let plan = this.plan;
    for (let at = 0; at < steps.length; at += 2) {
      const call = plan.turns[steps[at] ?? 0]?.[steps[at + 1] ?? 0];
      if (call === undefined || call.type === 'tool') throw new Error(`No plan at ${path}.`);
      plan = call.to;
    }
    return plan;
  }
}

/** What a person answers; the same for the same question. */
export function decideAll(interruptions: readonly Interruption[]): Decision[] {
  return interruptions.map(({ id, input }) =>
    JSON.stringify(input).includes('true')
      ? { interruptionId: id, approved: false, message: 'No.' }
      : { interruptionId: id, approved: true },
  );
}
