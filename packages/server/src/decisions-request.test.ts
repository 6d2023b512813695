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

test('an empty list is called empty', () => {
  const { message, details } = refusal([]);
  expect(message).toBe('The list is empty: give at least one decision.');
  expect(details.more).toMatchObject({ examples: expect.any(Array) });
  expect(refusal(undefined).message).toContain('The body is empty');
});

test('the examples are decisions themselves, one for each form of answer', () => {
  const { status, details } = refusal([{ interruption_id: 'i' }]);
  expect(status).toBe(422);
  const examples = details.more?.['examples'];
  if (!Array.isArray(examples)) throw new Error('There are no examples.');
  const forms = examples.flatMap((each) => toDecisions(each).flatMap(Object.keys));
  expect(new Set(forms)).toEqual(
    new Set(['interruptionId', 'approved', 'message', 'outcome', 'answer']),
  );
});
