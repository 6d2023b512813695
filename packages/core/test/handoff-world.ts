import { z } from 'zod';
import { Agent } from '../src/agent.ts';
import type { History, HandoffMode, HandoffStrategy, ControlReturn } from '../src/handoff.ts';
import type { HandoffConfig, HandoffTarget } from '../src/handoff-config.ts';
import type { Message } from '../src/message.ts';
import type { ModelRequest } from '../src/model.ts';
import type { Store } from '../src/store.ts';
import { scriptedModel, type ScriptedTurn } from '../src/testing/index.ts';
import { tool } from '../src/tool.ts';

// A front desk and two specialists, for the law of handoffs: every row of the table, and what each model is given.

/** A legal combination. */
export interface Row {
  readonly mode: HandoffMode;
  readonly strategy: HandoffStrategy;
  readonly defaultReturn: ControlReturn;
}

/** What a model was asked, as a person would note it down. */
export interface Received {
  readonly agent: string;
  readonly purpose: 'turn' | 'route';
  readonly instructions: string | undefined;
  readonly tools: readonly string[];
  readonly messages: readonly string[];
}

export const histories = {
  full: 'full',
  none: 'none',
  'last 1': { last: 1 },
  'a function': (messages) => messages.filter(({ role }) => role === 'user'),
} satisfies Record<string, History<unknown>>;
export type HistoryName = keyof typeof histories;

/** The outside of a run, and everything that models received in it. */
export class HandoffWorld {
  readonly row: Row;
  readonly received: Received[] = [];
  /** `tool callId` for each time that a tool ran. */
  readonly effects: string[] = [];
  readonly #target: Pick<HandoffTarget, 'history' | 'contextKeys'>;

  constructor(
    row: Row,
    options: { readonly history: HistoryName; readonly contextKeys: readonly string[] | undefined },
  ) {
    this.row = row;
    const { history, contextKeys } = options;
    this.#target = { history: histories[history], contextKeys };
  }

  /** The entry agent as a fresh process has it. */
  desk(): Agent {
    const { mode, strategy } = this.row;
    const one = { agent: this.#bills(), description: 'Bills.', ...this.#target };
    const two = { agent: this.#trips(), description: 'Trips.', ...this.#target };
    const conditional = mode === 'conditional' && strategy === 'route';
    const handoffConfig: HandoffConfig = {
      ...this.row,
      targets: conditional
        ? [
            { ...two, condition: 'it is about a trip' },
            { ...one, condition: 'it is about money' },
          ]
        : [one, two],
    };
    return this.#agent('desk', ['note'], (request) => this.#deskTurn(request), { handoffConfig });
  }

  #bills(): Agent {
    return this.#agent('bills', ['lookup'], ({ messages }) =>
      messages.at(-1)?.role === 'tool' ? 'Refunded.' : { calls: [['lookup', { n: 42 }]] },
    );
  }

  #trips(): Agent {
    return this.#agent('trips', [], () => 'Booked.');
  }

  #agent(
    name: string,
    tools: readonly string[],
    turn: (request: ModelRequest) => ScriptedTurn,
    options: { readonly handoffConfig?: HandoffConfig } = {},
  ): Agent {
    const model = scriptedModel((request) => {
      this.received.push({
        agent: name,
        purpose: request.output === undefined ? 'turn' : 'route',
        instructions: request.output === undefined ? request.instructions : undefined,
        tools: request.tools.map((one) => one.name),
        messages: request.messages.map(noted),
      });
      return turn(request);
    });
    return new Agent({
      name,
      model,
      instructions: ({ requestContext }) => `${name} knows ${JSON.stringify(requestContext)}`,
      tools: tools.map((one) =>
        tool({
          name: one,
          description: one,
          parameters: z.object({ n: z.number() }),
          effect: 'idempotent',
          execute: ({ n }, { callId }) => {
            this.effects.push(`${one} ${callId}`);
            return `${one} ${n}`;
          },
        }),
      ),
      ...options,
    });
  }

  #deskTurn({ messages, output }: ModelRequest): ScriptedTurn {
    if (output?.name === 'conditions') return { json: { holds: [2] } };
    if (output !== undefined) return { json: { agent: 'bills', reason: 'money' } };
    const last = messages.at(-1);
    const called = last?.parts.flatMap((part) =>
      part.type === 'tool-result' ? [part.toolName] : [],
    );
    if (this.opens || called?.includes('handoff_to_bills') === true) return 'Desk: all done.';
    if (called?.includes('note') !== true) return { calls: [['note', { n: 1 }]] };
    const bills = ['handoff_to_bills', refund] as const;
    return { calls: this.sideBySide ? [bills, ['handoff_to_trips', trip]] : [bills] };
  }

  /** The targets come before the desk's first turn. */
  get opens(): boolean {
    return this.row.mode === 'sequential' || this.row.strategy !== 'direct';
  }

  /** The desk asks both in one turn. */
  get sideBySide(): boolean {
    const { mode, defaultReturn } = this.row;
    return mode === 'coordinator' && defaultReturn === 'return_to_caller' && !this.opens;
  }
}

const refund = { message: 'Refund 42', reason: 'money', context: { order: 42 } };
const trip = { message: 'Trip 43' };

export const request = { message: 'Go.', context: { city: 'Bern', code: 7 } };

/** The conversation before. */
export async function withConversation(store: Store): Promise<Store> {
  const append: readonly Message[] = [
    { id: 'a', role: 'user', parts: [{ type: 'text', text: 'Before.' }] },
    { id: 'b', role: 'assistant', parts: [{ type: 'text', text: 'Yes.' }] },
  ];
  await store.sessions.commit('s', { append }, { expectedVersion: '0', operationId: 'base' });
  return store;
}

/** A message in one line: who, what, which calls, which results. */
export function noted({ role, parts }: Message): string {
  const said = parts.map((part) => {
    switch (part.type) {
      case 'text':
        return part.text;
      case 'tool-call':
        return `[${part.toolName}]`;
      case 'tool-result':
        return part.output.type === 'json' ? `[${JSON.stringify(part.output.value)}]` : '[…]';
      default:
        return part.type;
    }
  });
  return `${role}: ${said.join(' ')}`;
}

const before = ['user: Before.', 'assistant: Yes.'];
const noting = ['assistant: [note]', 'tool: ["note 1"]'];
const lookingUp = ['assistant: [lookup]', 'tool: ["lookup 42"]'];

/** What the rows of the table promise: whatever is received, in the order of each agent; the answer, and who gave it. */
export function promised(
  world: HandoffWorld,
  history: HistoryName,
  contextKeys: readonly string[] | undefined,
) {
  const { mode, strategy, defaultReturn } = world.row;
  const { opens, sideBySide } = world;
  const returns = defaultReturn === 'return_to_caller';
  const chain = mode === 'sequential';
  const broadcast = strategy === 'broadcast';
  const both = chain || broadcast || sideBySide;

  const prior = {
    full: opens ? before : [...before, 'user: Go.', ...noting],
    none: [],
    'last 1': opens ? ['assistant: Yes.'] : noting,
    'a function': opens ? ['user: Before.'] : ['user: Before.', 'user: Go.'],
  }[history];
  const handedOver =
    mode === 'swarm' && !returns ? 'desk handed this conversation over to you: ' : '';
  const asked = opens ? 'user: Go.' : `user: ${handedOver}Refund 42\n\nContext: {"order":42}`;
  const knows = JSON.stringify(
    contextKeys === undefined ? request.context : { city: request.context.city },
  );

  const desk = {
    agent: 'desk',
    purpose: 'turn' as const,
    instructions: `desk knows ${JSON.stringify(request.context)}`,
    tools: ['note', ...(strategy === 'direct' && !chain ? handoffTools : [])],
  };
  const bills = {
    agent: 'bills',
    purpose: 'turn' as const,
    instructions: `bills knows ${knows}`,
    tools: ['lookup'],
  };
  const trips = {
    agent: 'trips',
    purpose: 'turn' as const,
    instructions: `trips knows ${knows}`,
    tools: [],
  };

  const start = [...before, 'user: Go.'];
  const ofDesk = opens
    ? returns
      ? [
          [
            ...start,
            `user: bills answered:\nRefunded.${broadcast ? '\n\ntrips answered:\nBooked.' : ''}`,
          ],
        ]
      : []
    : [
        start,
        [...start, ...noting],
        ...(returns
          ? [
              [
                ...start,
                ...noting,
                `assistant: [handoff_to_bills]${sideBySide ? ' [handoff_to_trips]' : ''}`,
                `tool: ["Refunded."]${sideBySide ? ' ["Booked."]' : ''}`,
              ],
            ]
          : []),
      ];
  const answered = chain ? ['user: bills answered:\nRefunded.'] : [];
  const tripAsked = opens ? [asked, ...answered] : ['user: Trip 43'];
  const received: { readonly [agent: string]: readonly Received[] } = {
    desk: ofDesk.map((messages) => ({ ...desk, messages })),
    bills: [
      { ...bills, messages: [...prior, asked] },
      { ...bills, messages: [...prior, asked, ...lookingUp] },
    ],
    trips: both ? [{ ...trips, messages: [...prior, ...tripAsked] }] : [],
  };
  return {
    received,
    response: returns ? 'Desk: all done.' : chain ? 'Booked.' : 'Refunded.',
    handoffPath: both ? ['desk', 'bills', 'trips'] : ['desk', 'bills'],
    /** Who has the next turn. */
    activeAgent: mode === 'swarm' && !returns ? 'bills' : 'desk',
    closed: defaultReturn === 'end_conversation',
    routes: strategy === 'route' || strategy === 'best_match' ? 1 : 0,
  };
}

const handoffTools = ['handoff_to_bills', 'handoff_to_trips'];
