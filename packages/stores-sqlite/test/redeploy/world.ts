import {
  jsonSchema,
  textOf,
  tool,
  type Agent,
  type Effect,
  type Logger,
  type Message,
  type Model,
  type ModelRequest,
  type Reconciliation,
  type Tool,
  type ToolContext,
} from '@agent-functions/core';
import { scriptedModel, type ScriptedTurn } from '@agent-functions/core/testing';
import { agentServer } from '../../../server/src/index.ts';
import { serve } from '../../../server/src/node/index.ts';
import { sqliteStore } from '../../src/index.ts';
import { outsideAt } from '../kill/scenario.ts';
import { planOf } from './plans.ts';

// What both versions of the app are made of: how they are served, tools whose effects are counted outside, and models
// that follow a plan and say what they were told.

/** What the process is told. */
export interface Place {
  readonly path: string;
  readonly effects: string;
  readonly leaseMs: number;
}

const place: Place = JSON.parse(process.argv[2] ?? '{}');
const outside = outsideAt(place.effects);

/** That an agent is gone is what some runs are about. */
const logger: Logger = {
  log(level, message, fields) {
    if (level === 'debug' || level === 'info' || fields?.['code'] === 'agent_gone') return;
    console.error(message, fields);
  },
};

/** Serves a version of the app; the first line says where. SIGTERM stops it. */
export async function serveApp(agents: readonly Agent[]): Promise<void> {
  const store = sqliteStore({ path: place.path, synchronous: 'normal' });
  const server = agentServer({ agents, store, leaseMs: place.leaseMs, logger });
  const { url } = await serve(server, { port: 0, signals: true, graceMs: 100 });
  console.log(url);
}

interface Input {
  readonly hang?: 'before' | 'after';
  readonly amount?: number;
}

const parameters = jsonSchema<Input>(
  {
    type: 'object',
    properties: { hang: { enum: ['before', 'after'] }, amount: { type: 'number' } },
  },
  {
    validate(value) {
      if (typeof value !== 'object' || value === null) throw new Error('expected an object');
      return value;
    },
  },
);

interface More {
  readonly needsApproval?: boolean;
  readonly onAmbiguous?: 'ask';
  readonly reconciles?: boolean;
}

/** Makes the tools and models of a version. Of one that `hangs`, calls stand still where their plan says so. */
export function world({ hangs }: { readonly hangs: boolean }) {
  const stand = async (runId: string, signal?: AbortSignal): Promise<void> => {
    if (!hangs) return;
    console.log(runId);
    await new Promise((_, reject) => {
      signal?.addEventListener('abort', () => reject(new Error('aborted')));
    });
  };
  return {
    toolOf: (name: string, effect: Effect, more: More = {}): Tool =>
      tool({
        name,
        description: `Does ${name}`,
        parameters,
        effect,
        needsApproval: more.needsApproval,
        onAmbiguous: more.onAmbiguous,
        ...(more.reconciles === true ? { reconcile } : {}),
        execute: async ({ hang, amount }, { runId, signal, idempotencyKey }) => {
          if (hang === 'before') await stand(runId, signal);
          await outside.effect(idempotencyKey, name);
          if (hang === 'after') await stand(runId, signal);
          return amount === undefined ? `${name} done` : { [name]: amount };
        },
      }),
    /** Follows the plan that the message names, under each of the agent's names; stamps first, where it can. */
    modelOf: (...names: readonly string[]): Model =>
      scriptedModel(async (request): Promise<ScriptedTurn> => {
        const { messages, tools } = request;
        const runId = messages.at(-1)?.runId ?? '';
        const own = messages.filter(
          (one) =>
            one.role === 'assistant' && one.runId === runId && names.includes(one.agent ?? ''),
        );
        const stamps = own.filter(calls('stamp')).length;
        const turn = planOf(askedIn(messages, runId)).turns[names[0] ?? '']?.[own.length - stamps];
        if (turn?.hangs === true && hangs) {
          console.log(runId);
          return { hang: true };
        }
        if (turn?.paceMs !== undefined && hangs) {
          await new Promise((resolve) => setTimeout(resolve, turn.paceMs));
        }
        const text = toldIn(request);
        if (stamps === 0 && tools.some(({ name }) => name === 'stamp')) {
          return { text, calls: [['stamp', {}]] };
        }
        return { text, calls: turn?.calls };
      }),
  };
}

async function reconcile(
  _input: Input,
  { idempotencyKey }: ToolContext,
): Promise<Reconciliation<string>> {
  const done = (await outside.done(idempotencyKey)) > 0;
  return done ? { done, output: 'send done' } : { done };
}

function toldIn({ instructions, tools }: ModelRequest): string {
  return `${instructions ?? 'nothing'}: ${tools.map(({ name }) => name).join(' ')}`;
}

function askedIn(messages: readonly Message[], runId: string): string {
  const asked = messages.find((one) => one.role === 'user' && one.runId === runId);
  return asked === undefined ? '' : textOf(asked);
}

function calls(name: string) {
  return ({ parts }: Message): boolean =>
    parts.some((part) => part.type === 'tool-call' && part.toolName === name);
}
