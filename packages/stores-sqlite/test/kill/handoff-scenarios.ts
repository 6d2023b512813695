import { setTimeout as sleep } from 'node:timers/promises';
import {
  Agent,
  textOf,
  type HandoffConfig,
  type Json,
  type ModelRequest,
} from '@agent-functions/core';
import { scriptedModel, type ScriptedCall, type ScriptedTurn } from '@agent-functions/core/testing';
import { call, effectTool, type Outside, type Scenario } from './scenario.ts';

// One case a row of the table in docs/guides/handoffs.md, and what is not in it: agents as tools, and depth.

interface Part {
  /** In order; a function gets the text of what the agent was asked. */
  readonly turns: readonly (ScriptedTurn | ((asked: string) => ScriptedTurn))[];
  /** What its model answers when it is asked who gets the request. */
  readonly routes?: Json | undefined;
  readonly tools?: ConstructorParameters<typeof Agent>[0]['tools'];
  readonly handoffConfig?: HandoffConfig | undefined;
  /** How long its model takes: side by side, agents do not keep step. */
  readonly paceMs?: number | undefined;
}

/** An agent whose turn follows from its own messages of this run in the request: the same in every process. */
function agent(name: string, { turns, routes, paceMs, ...config }: Part): Agent {
  const model = scriptedModel((request) => {
    if (request.output !== undefined) return { json: routes };
    const runId = request.messages.at(-1)?.runId;
    const mine = request.messages.filter(
      (one) => one.role === 'assistant' && one.agent === name && one.runId === runId,
    );
    const turn = turns[mine.length] ?? new Error(`${name} has no turn ${mine.length + 1}`);
    const said = typeof turn === 'function' ? turn(askedOf(request)) : turn;
    return paceMs === undefined ? said : sleep(paceMs, said);
  });
  return new Agent({ name, model, ...config });
}

function askedOf({ messages }: ModelRequest): string {
  const asked = messages.findLast(({ role }) => role === 'user');
  return asked === undefined ? '' : textOf(asked);
}

/** Does one thing that must happen once, then says what it was asked. */
function worker(outside: Outside, name: string, paceMs?: number): Agent {
  return agent(name, {
    paceMs,
    turns: [{ calls: [call('pay')] }, (asked) => `${name} did: ${asked}`],
    tools: [effectTool(outside, 'pay', 'once')],
  });
}

const ask = (toolName: string, message: string): ScriptedCall => [toolName, { message }];

export const handoffScenarios: readonly Scenario[] = [
  {
    name: 'swarm, bubble_up: the target takes over',
    answer: 'billing did: triage handed this conversation over to you: Refund 42',
    calls: 3,
    requests: 3,
    hops: ['triage transfer billing'],
    next: 'billing',
    agent: (outside) =>
      agent('triage', {
        turns: [
          { text: 'One moment.', calls: [ask('handoff_to_billing', 'Refund 42'), call('log')] },
        ],
        tools: [effectTool(outside, 'log', 'once')],
        handoffConfig: { mode: 'swarm', targets: [{ agent: worker(outside, 'billing') }] },
      }),
  },
  {
    name: 'swarm, return_to_caller: the caller goes on',
    answer: 'The desk is done.',
    calls: 3,
    requests: 5,
    hops: ['desk call stock'],
    agent: (outside) =>
      agent('desk', {
        turns: [
          { calls: [ask('handoff_to_stock', 'Two chairs')] },
          { calls: [call('pay')] },
          'The desk is done.',
        ],
        tools: [effectTool(outside, 'pay', 'once')],
        handoffConfig: {
          mode: 'swarm',
          defaultReturn: 'return_to_caller',
          targets: [{ agent: worker(outside, 'stock') }],
        },
      }),
  },
  {
    name: 'coordinator, return_to_caller: two specialists side by side',
    answer: 'All is booked.',
    calls: 4,
    requests: 6,
    hops: ['planner call flight', 'planner call hotel'],
    agent: (outside) =>
      agent('planner', {
        turns: [
          { calls: [ask('handoff_to_flight', 'To Rome'), ask('handoff_to_hotel', 'In Rome')] },
          'All is booked.',
        ],
        handoffConfig: {
          mode: 'coordinator',
          targets: [{ agent: worker(outside, 'flight') }, { agent: worker(outside, 'hotel', 8) }],
        },
      }),
  },
  {
    name: 'coordinator, broadcast: all at once',
    answer: 'Both have spoken.',
    calls: 2,
    requests: 5,
    hops: ['chair call left', 'chair call right'],
    agent: (outside) =>
      agent('chair', {
        turns: ['Both have spoken.'],
        handoffConfig: {
          mode: 'coordinator',
          strategy: 'broadcast',
          targets: [{ agent: worker(outside, 'left') }, { agent: worker(outside, 'right', 8) }],
        },
      }),
  },
  {
    name: 'coordinator, bubble_up: the answer word for word',
    answer: 'expert did: The hard one',
    calls: 2,
    requests: 3,
    hops: ['front call expert'],
    agent: (outside) =>
      agent('front', {
        turns: [{ calls: [ask('handoff_to_expert', 'The hard one')] }],
        handoffConfig: {
          mode: 'coordinator',
          defaultReturn: 'bubble_up',
          targets: [{ agent: worker(outside, 'expert') }],
        },
      }),
  },
  {
    name: 'sequential, continue_chain: one after the other',
    answer: 'editor did: author answered:\nauthor did: Please do it.',
    calls: 2,
    requests: 4,
    hops: ['head chain author', 'head chain editor'],
    agent: (outside) =>
      agent('head', {
        turns: [],
        handoffConfig: {
          mode: 'sequential',
          targets: [{ agent: worker(outside, 'author') }, { agent: worker(outside, 'editor') }],
        },
      }),
  },
  {
    name: 'conditional, route, end_conversation: a sentence chooses',
    answer: 'support did: Please do it.',
    calls: 1,
    requests: 3,
    hops: ['gate route support'],
    closes: true,
    agent: (outside) =>
      agent('gate', {
        turns: [],
        routes: { holds: [2] },
        handoffConfig: {
          mode: 'conditional',
          defaultReturn: 'end_conversation',
          targets: [
            { agent: worker(outside, 'sales'), condition: 'It is about buying.' },
            { agent: worker(outside, 'support'), condition: 'Something is broken.' },
          ],
        },
      }),
  },
  {
    name: 'conditional, best_match, return_to_caller: the model chooses, and goes on',
    answer: 'Support has done it.',
    calls: 1,
    requests: 4,
    hops: ['gate call support'],
    agent: (outside) =>
      agent('gate', {
        turns: ['Support has done it.'],
        routes: { agent: 'support', reason: 'broken' },
        handoffConfig: {
          mode: 'conditional',
          strategy: 'best_match',
          defaultReturn: 'return_to_caller',
          targets: [{ agent: worker(outside, 'sales') }, { agent: worker(outside, 'support') }],
        },
      }),
  },
  {
    name: 'agents as tools, several side by side, one of them twice',
    answer: 'All three are here.',
    calls: 7,
    requests: 8,
    hops: ['planner call flight', 'planner call hotel', 'planner call flight'],
    agent: (outside) =>
      agent('planner', {
        turns: [
          {
            calls: [
              ask('flight', 'To Rome'),
              ask('hotel', 'In Rome'),
              call('log'),
              ask('flight', 'Back'),
            ],
          },
          'All three are here.',
        ],
        tools: [
          worker(outside, 'flight').asTool(),
          worker(outside, 'hotel', 8).asTool(),
          effectTool(outside, 'log', 'once'),
        ],
      }),
  },
  {
    name: 'an approval three frames deep',
    answer: 'The board is told.',
    calls: 4,
    requests: 7,
    hops: ['board call manager', 'manager transfer clerk', 'clerk call teller'],
    agent: (outside) => {
      const teller = agent('teller', {
        turns: [{ calls: [call('refund')] }, 'Refunded.'],
        tools: [effectTool(outside, 'refund', 'once', { needsApproval: true })],
      });
      const clerk = agent('clerk', {
        turns: [{ calls: [ask('teller', 'Refund 42')] }, 'The teller did it.'],
        tools: [teller.asTool()],
      });
      const manager = agent('manager', {
        turns: [{ calls: [ask('handoff_to_clerk', 'Refund 42')] }],
        handoffConfig: { mode: 'swarm', targets: [{ agent: clerk }] },
      });
      return agent('board', {
        turns: [{ calls: [ask('manager', 'Refund 42')] }, 'The board is told.'],
        tools: [manager.asTool()],
      });
    },
  },
];
