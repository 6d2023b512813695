import { expect, test } from 'vitest';
import { evaluateReleaseNote } from './evaluate-release-note.ts';

const message = 'Write the release note of version 2.4.';

test('a note that is as it must be has every point, and nothing to improve', () => {
  const response = [
    'Lumo Notes 2.4',
    '- Notebooks can be exported as PDF (#311)',
    '- An empty note no longer ends the app (#318)',
    '- The search finds words in pictures (#324)',
  ].join('\n');
  expect(evaluateReleaseNote({ message, response })).toEqual({
    score: 1,
    scores: { heading: 1, complete: 1, public: 1, short: 1 },
    feedback: '',
  });
});

test('what is missing, internal or too long is said', () => {
  const response = `${'x'.repeat(61)}\n- The queue is new (#320)`;
  expect(evaluateReleaseNote({ message, response })).toEqual({
    score: 0.125,
    scores: { heading: 0, complete: 0, public: 0, short: 0.5 },
    feedback:
      'Begin with "Lumo Notes 2.4". Name #311, #318, #324. Leave out #320: internal. Lines of more than 60 characters: 1.',
  });
});
