import type { RunEvent, RunEventBody } from '@agent-functions/core';
import { expect, test } from 'vitest';
import { runLog } from './run-log.ts';

const usage = { inputTokens: 20, outputTokens: 5, totalTokens: 25 };

function journal(...bodies: readonly RunEventBody[]): readonly RunEvent[] {
  return bodies.map((body, index) => ({
    v: 1,
    seq: index + 1,
    at: Date.parse('2026-11-22T10:00:00') + index * 400,
    runId: 'run_0123456789',
    frame: 'f0',
    agent: 'bot',
    ...body,
  }));
}

const asks: RunEventBody = {
  type: 'model-response',
  purpose: 'turn',
  message: {
    id: 'm1',
    role: 'assistant',
    parts: [{ type: 'tool-call', callId: 'f0.t1.c1', toolName: 'look', input: { secret: 1 } }],
  },
  usage,
  finishReason: 'tool-calls',
  provider: 'openai',
  modelId: 'gpt-5-mini',
  attempts: [],
};

const events = journal(
  { type: 'run-start', input: [], options: {} },
  asks,
  {
    type: 'tool-start',
    callId: 'f0.t1.c1',
    toolName: 'look',
    input: { secret: 1 },
    effect: 'read',
    idempotencyKey: 'k',
  },
  {
    type: 'tool-result',
    callId: 'f0.t1.c1',
    toolName: 'look',
    output: { type: 'json', value: 'fine' },
    isError: false,
    how: 'ran',
  },
  {
    type: 'run-end',
    status: 'completed',
    response: 'done',
    usage: { requests: 2, ...usage, perRequest: [] },
    handoffPath: ['bot'],
  },
);

function lines(options: { readonly verbose: boolean }): readonly string[] {
  const written: string[] = [];
  const log = runLog((line) => void written.push(line), options);
  for (const event of events) log.show(event);
  return written;
}

test('a run is a few lines: run, agent, turn, tool, milliseconds, tokens; never what was said', () => {
  expect(lines({ verbose: false })).toEqual([
    '10:00:00 run_0123 bot  run started',
    '10:00:00 run_0123 bot  turn 1 · openai/gpt-5-mini · 400 ms · 20 in, 5 out · calls look',
    '10:00:01 run_0123 bot  tool look · 400 ms',
    '10:00:01 run_0123 bot  run completed · 1.6 s · 2 model calls · 1 tool · 25 tokens',
  ]);
});

test('several agents: who hands over to whom and why, what was judged and refused, who failed', () => {
  const written: string[] = [];
  const log = runLog((line) => void written.push(line), { verbose: false });
  const team = journal(
    { type: 'run-start', input: [], options: {} },
    { type: 'guardrail-result', name: 'polite', on: 'input', action: 'allow' },
    { ...asks, purpose: 'route', message: { id: 'm', role: 'assistant', parts: [] } },
    { type: 'route', to: 'writer', reason: 'A text.' },
    {
      type: 'handoff',
      to: 'writer',
      childFrame: 'f0.1',
      primitive: 'route',
      messages: [],
      asked: 0,
      context: {},
      reason: 'A text.',
    },
    { type: 'reflection', iteration: 0, score: 0.5, accepted: true, done: false },
    {
      type: 'guardrail-result',
      name: 'policy',
      on: 'output',
      action: 'reject',
      message: 'Name no prices.',
    },
    { type: 'frame-end', error: { code: 'guardrail_rejected', message: 'Name no prices.' } },
    { type: 'route', reason: 'Nobody fits.' },
  );
  for (const event of team) log.show(event);
  expect(written.map((line) => line.split('bot  ')[1])).toEqual([
    'run started',
    'asks who should answer · openai/gpt-5-mini · 800 ms · 20 in, 5 out',
    'routes to writer · A text.',
    'draft 1 · score 0.50 · kept so far',
    'guardrail policy · output · reject · Name no prices.',
    'agent failed · guardrail_rejected: Name no prices.',
    'routes to nobody, answers itself · Nobody fits.',
  ]);
});

test('verbose shows what tools are given and answer', () => {
  const text = lines({ verbose: true }).join('\n');
  expect(text).toContain('tool look · {"secret":1}');
  expect(text).toContain('tool look · 400 ms · fine');
});

test('a run that another process began is counted from its journal', () => {
  const written: string[] = [];
  const log = runLog((line) => void written.push(line), { verbose: false });
  expect(log.knows('run_0123456789')).toBe(false);
  for (const event of events.slice(0, 4)) log.recall(event);
  expect(log.knows('run_0123456789')).toBe(true);
  expect(written).toEqual([]);
  for (const event of [...journal(asks).map((each) => ({ ...each, seq: 5 })), ...events.slice(4)]) {
    log.show(event);
  }
  expect(written[0]).toContain('turn 2 ·');
  expect(written[1]).toContain('1 tool ·');
  expect(log.knows('run_0123456789'), 'nothing is kept of what has ended').toBe(false);
});
