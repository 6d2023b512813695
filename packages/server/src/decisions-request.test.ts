import { expect, test } from 'vitest';
import { toDecisions } from './decisions-request.ts';
import { Problem } from './problem.ts';

function refusal(body: Parameters<typeof toDecisions>[0]): Problem {
  try {
    toDecisions(body);
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error('It was taken.');
}

test('an empty list is called empty, and the examples show what a run can ask', () => {
  const { message, details } = refusal([]);
  expect(message).toBe('The list is empty: give at least one decision.');
  expect(JSON.stringify(details.more)).not.toContain('answer');
  expect(refusal(undefined).message).toContain('The body is empty');
});
