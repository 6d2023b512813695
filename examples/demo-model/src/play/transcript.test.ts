import { expect, test } from 'vitest';
import { Transcript } from './transcript.ts';

function written(events: readonly object[]): readonly string[] {
  const lines: string[] = [];
  const transcript = new Transcript((line) => lines.push(line));
  for (const event of events) transcript.take(event);
  return lines;
}

const handoff = (to: string, child_frame: string, frame = 'f0', agent = 'head') => ({
  type: 'handoff',
  frame,
  agent,
  to,
  child_frame,
  primitive: 'call',
});
const said = (agent: string, frame: string, text: string) => ({
  type: 'model-response',
  frame,
  agent,
  purpose: 'turn',
  message: { parts: [{ type: 'text', text }] },
});
const ended = (agent: string, frame: string) => ({ type: 'frame-end', frame, agent });

test('agents that work side by side are written in the order in which they were asked', () => {
  expect(
    written([
      handoff('a', 'f0.1'),
      handoff('b', 'f0.2'),
      said('b', 'f0.2', 'B is first.'),
      ended('b', 'f0.2'),
      said('a', 'f0.1', 'A is second.'),
      ended('a', 'f0.1'),
      said('head', 'f0', 'Both.'),
      { type: 'run-end', status: 'completed', handoff_path: ['head', 'a', 'b'] },
    ]),
  ).toEqual([
    '  head → a (call)',
    'a: A is second.',
    '  head → b (call)',
    'b: B is first.',
    'head: Both.',
    '  path: head → a → b',
  ]);
});

test('what happens is written at once, unless something before it still goes on', () => {
  const begun = [handoff('a', 'f0.1'), handoff('b', 'f0.2'), said('b', 'f0.2', 'B.')];
  expect(written(begun)).toEqual(['  head → a (call)']);
});

test('a run that ends before its agents do is written to its end', () => {
  expect(
    written([
      handoff('a', 'f0.1'),
      handoff('b', 'f0.2'),
      { type: 'run-end', status: 'stopped', handoff_path: ['head'] },
    ]),
  ).toEqual(['  head → a (call)', '  head → b (call)', '  path: head', '  stopped']);
});

test('results stand below their calls, what is not shown is left out', () => {
  const start = (call_id: string) => ({
    type: 'tool-start',
    frame: 'f0',
    agent: 'head',
    call_id,
    tool_name: 'add',
    input: { id: call_id },
  });
  const result = (call_id: string, is_error = false) => ({
    type: 'tool-result',
    frame: 'f0',
    call_id,
    output: call_id,
    is_error,
  });
  expect(
    written([{ type: 'turn-start' }, start('1'), start('2'), result('2', true), result('1')]),
  ).toEqual([
    '  head calls add {"id":"1"}',
    '    result "1"',
    '  head calls add {"id":"2"}',
    '    error "2"',
  ]);
});

test('what a tool asks, and the answer, is written with its call', () => {
  const call = { frame: 'f0', agent: 'head', call_id: 'c', tool_name: 'convert', input: {} };
  const interruption = { id: 'c.input', kind: 'input', call_id: 'c', message: 'Which?' };
  expect(
    written([
      { type: 'tool-start', ...call },
      { type: 'interruption', frame: 'f0', agent: 'head', interruption },
      { type: 'decision', frame: 'f0', interruption_id: 'c.input', answer: 'CHF' },
      { type: 'tool-start', ...call },
      { type: 'tool-result', frame: 'f0', call_id: 'c', output: 1, is_error: false },
    ]),
  ).toEqual([
    '  head calls convert {}',
    '    waits for an answer: Which?',
    '    answered: "CHF"',
    '    result 1',
  ]);
});
