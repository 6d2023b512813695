import { Agent, jsonSchema, ModelError, type Json, type ModelRequest } from '@agent-functions/core';
import { scriptedModel, type ScriptedTurn } from '@agent-functions/core/testing';
import { call, effectTool, type Scenario } from './scenario.ts';

/** The turn by what the conversation of the present run holds: the same in every process. */
function turns(script: readonly ScriptedTurn[]) {
  return scriptedModel((request) => script[answersOf(request)] ?? new Error('no such turn'));
}

function answersOf(request: ModelRequest): number {
  const runId = request.messages.at(-1)?.runId;
  return request.messages.filter((one) => one.role === 'assistant' && one.runId === runId).length;
}

/** Of one agent. */
export const soloScenarios: readonly Scenario[] = [
  {
    name: 'text',
    answer: 'Hello from a run that may be killed at any moment.',
    calls: 0,
    requests: 1,
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
    requests: 3,
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
    requests: 2,
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
    requests: 2,
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
    requests: 3,
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
    requests: 2,
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
