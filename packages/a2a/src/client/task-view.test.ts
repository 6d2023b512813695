import { StreamResponse } from '@a2a-js/sdk';
import { expect, test } from 'vitest';
import { TaskView } from './task-view.ts';

const ids = { taskId: 't', contextId: 'c' };
const reading = { json: false, maxBytes: 10_000 };

function artifact(artifactId: string, text: string, append = false): StreamResponse {
  return StreamResponse.fromJSON({
    artifactUpdate: { ...ids, artifact: { artifactId, parts: [{ text }] }, append },
  });
}

function status(state: string, text?: string): StreamResponse {
  const message =
    text === undefined ? undefined : { messageId: 'm', role: 'ROLE_AGENT', parts: [{ text }] };
  return StreamResponse.fromJSON({
    statusUpdate: { ...ids, status: { state: `TASK_STATE_${state}`, message } },
  });
}

const textOf = (view: TaskView, updates: readonly StreamResponse[]) =>
  updates.map((one) => view.take(one).text).join('');

test('chunks of an artifact are one text, artifacts are paragraphs, and both are shown as they come', () => {
  const view = new TaskView(reading);
  const shown = textOf(view, [
    artifact('a', 'One '),
    artifact('a', 'two.', true),
    artifact('b', 'Three.'),
    status('COMPLETED'),
  ]);
  expect(shown).toBe('One two.\n\nThree.');
  expect(view.stopped(undefined)?.answer).toEqual([{ type: 'text', text: shown }]);
});

test('what was replaced is not shown again, and is in the answer', () => {
  const view = new TaskView(reading);
  expect(textOf(view, [artifact('a', 'Draft.'), artifact('a', 'Final.')])).toBe('Draft.');
  view.take(status('COMPLETED'));
  expect(view.stopped(undefined)?.answer).toEqual([{ type: 'text', text: 'Final.' }]);
  expect(view.exact).toBe(false);
});

test('a task that is told again after a cut goes on where it was', () => {
  const view = new TaskView(reading);
  view.take(artifact('a', 'One '));
  const task = StreamResponse.fromJSON({
    task: {
      id: 't',
      contextId: 'c',
      status: { state: 'TASK_STATE_WORKING' },
      artifacts: [{ artifactId: 'a', parts: [{ text: 'One two ' }] }],
    },
  });
  expect(textOf(view, [task, artifact('a', 'three.', true)])).toBe('two three.');
});

test('what the agent says of its work is a note; what it asks is a question, once', () => {
  const view = new TaskView(reading);
  expect(view.take(status('WORKING', 'Looking …')).note).toBe('Looking …\n');
  expect(view.take(status('WORKING', 'Looking …')).note).toBe('');
  view.take(status('INPUT_REQUIRED', 'Which?'));
  const turn = view.stopped(undefined);
  expect(turn?.question?.message).toBe('Which?');
  expect(view.stopped(turn?.question?.key)).toBeUndefined();
});

test('more than the limit is refused as it comes', () => {
  const view = new TaskView({ json: false, maxBytes: 10 });
  view.take(artifact('a', '0123456789'));
  expect(() => view.take(artifact('a', '!', true))).toThrow('it sent more than 10 bytes');
});
