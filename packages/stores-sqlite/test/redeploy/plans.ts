import type { RunEvent } from '@agent-functions/core';
import type { ScriptedCall } from '@agent-functions/core/testing';

// The states in which version N leaves its runs, and what each must come to on version N + 1.

type Settlement = Extract<RunEvent, { readonly type: 'tool-result' }>['how'];

interface Turn {
  readonly calls?: readonly ScriptedCall[];
  /** On version N the model does not answer. */
  readonly hangs?: boolean;
  /** How long the model of version N takes. */
  readonly paceMs?: number;
}

export interface Plan {
  /** The message that begins the run. */
  readonly name: string;
  /** Who is asked on version N. */
  readonly agent: string;
  /** By the agent's name on version N. Behind the last one the agent answers. */
  readonly turns: Readonly<Record<string, readonly Turn[]>>;
  /** A message of the same session before, which version N answers. */
  readonly before?: string;
  /** What is answered on version N + 1; default: yes. */
  readonly answer?: { readonly approved: boolean; readonly input?: { readonly amount: number } };
  /** How the run ends. */
  readonly end: 'completed' | 'agent_gone';
  /** What the last call of this tool came to. */
  readonly result?: readonly [tool: string, how: Settlement, isError: boolean];
}

const hang = { hangs: true } as const;
const calls = (...all: readonly ScriptedCall[]): Turn => ({ calls: all });
const stuck = (tool: string, when: 'before' | 'after' = 'after'): Turn =>
  calls([tool, { hang: when }]);
const refund = calls(['refund', { amount: 5 }]);
const say = (tool: string, message: string): Turn => calls([tool, { message }]);

/** Of the desk, whose instructions and tools changed. */
const changed: readonly Plan[] = (
  [
    {
      name: 'asks for an approval',
      turns: { desk: [refund] },
      result: ['refund', 'ran', false],
    },
    {
      name: 'asks, and the input is edited',
      turns: { desk: [refund] },
      answer: { approved: true, input: { amount: 3 } },
      result: ['refund', 'ran', false],
    },
    {
      name: 'asks, and is refused',
      turns: { desk: [refund] },
      answer: { approved: false },
      result: ['refund', 'rejected', true],
    },
    {
      name: 'asks for a tool that goes',
      turns: { desk: [calls(['fax', {}])] },
      result: ['fax', 'refused', true],
    },
    { name: 'in the first model call', turns: { desk: [hang] } },
    {
      name: 'in the second model call',
      turns: { desk: [calls(['look', {}]), hang] },
      result: ['look', 'ran', false],
    },
    {
      name: 'in a read tool',
      turns: { desk: [stuck('look')] },
      result: ['look', 'ran', false],
    },
    {
      name: 'in an idempotent tool',
      turns: { desk: [stuck('put')] },
      result: ['put', 'ran', false],
    },
    {
      name: 'in a once tool',
      turns: { desk: [stuck('pay')] },
      result: ['pay', 'unknown-outcome', true],
    },
    {
      name: 'in a once tool that finds it done',
      turns: { desk: [stuck('send')] },
      result: ['send', 'reconciled', false],
    },
    {
      name: 'in a once tool that finds it not done',
      turns: { desk: [stuck('send', 'before')] },
      result: ['send', 'ran', false],
    },
    {
      name: 'in a once tool that asks whether it is done',
      turns: { desk: [stuck('book')] },
      result: ['book', 'reconciled', false],
    },
    {
      name: 'in a read tool that goes',
      turns: { desk: [stuck('scan')] },
      result: ['scan', 'unknown-outcome', true],
    },
    {
      name: 'in a once tool that goes',
      turns: { desk: [stuck('wire')] },
      result: ['wire', 'unknown-outcome', true],
    },
    {
      name: 'in a read tool beside an approval',
      turns: { desk: [calls(['look', { hang: 'after' }], ['put', {}], ['refund', { amount: 5 }])] },
      result: ['refund', 'ran', false],
    },
    {
      name: 'at work',
      turns: { desk: Array.from({ length: 60 }, () => ({ ...calls(['look', {}]), paceMs: 30 })) },
      result: ['look', 'ran', false],
    },
  ] satisfies Omit<Plan, 'agent' | 'end'>[]
).map((plan) => ({ ...plan, agent: 'desk', end: 'completed' }));

/** Agents that have another name, or are gone. */
const renamed: readonly Plan[] = [
  {
    name: 'handed to an agent that is renamed',
    agent: 'desk',
    turns: { desk: [say('handoff_to_clerk', 'Take over.')], clerk: [calls(['put', {}]), hang] },
    end: 'completed',
    result: ['put', 'ran', false],
  },
  {
    name: 'the second turn of one that took over and is renamed',
    agent: 'desk',
    before: 'hands over and is answered',
    turns: { clerk: [hang] },
    end: 'completed',
  },
  {
    name: 'asks an agent that is renamed',
    agent: 'desk',
    turns: {
      desk: [say('ask_clerk', 'asks an agent that is renamed')],
      clerk: [stuck('put')],
    },
    end: 'completed',
    result: ['ask_clerk', 'handoff', false],
  },
  {
    name: 'a renamed agent asks for an approval',
    agent: 'desk',
    turns: { desk: [say('handoff_to_clerk', 'Take over.')], clerk: [refund] },
    end: 'completed',
    result: ['refund', 'ran', false],
  },
  {
    name: 'the agent that was asked is renamed',
    agent: 'kiosk',
    turns: { kiosk: [calls(['put', {}]), hang] },
    end: 'completed',
    result: ['put', 'ran', false],
  },
  {
    name: 'handed to an agent that goes',
    agent: 'desk',
    turns: { desk: [say('handoff_to_oracle', 'Take over.')], oracle: [hang] },
    end: 'agent_gone',
  },
  {
    name: 'asks an agent that goes',
    agent: 'desk',
    turns: { desk: [say('ask_oracle', 'asks an agent that goes')], oracle: [stuck('put')] },
    end: 'completed',
    result: ['ask_oracle', 'handoff', true],
  },
  {
    name: 'an agent that goes asks for an approval',
    agent: 'desk',
    turns: { desk: [say('handoff_to_oracle', 'Take over.')], oracle: [refund] },
    end: 'agent_gone',
    result: ['refund', 'not-run', true],
  },
  {
    name: 'the agent that was asked goes',
    agent: 'museum',
    turns: { museum: [hang] },
    end: 'agent_gone',
  },
];

/** 25 states. */
export const plans: readonly Plan[] = [...changed, ...renamed];

const earlier: Plan = {
  name: 'hands over and is answered',
  agent: 'desk',
  turns: { desk: [say('handoff_to_clerk', 'Take over.')] },
  end: 'completed',
};
const later: Plan = { name: 'and then?', agent: 'desk', turns: {}, end: 'completed' };

/** The plan that a message names. */
export function planOf(message: string): Plan {
  const plan = [...plans, earlier, later].find(({ name }) => name === message);
  if (plan === undefined) throw new Error(`no plan ${JSON.stringify(message)}`);
  return plan;
}
