import type { Decision, Json, JsonObject } from '@agent-functions/core';
import { booleanAt, listAt, objectAt, oneOfAt, textAt, type ObjectSchema } from './fields.ts';
import { badRequest, Problem } from './problem.ts';

// The body of POST …/decisions: a list of answers to interruptions, taken as a whole.

const outcomes = ['done', 'not-done', 'failed'] as const;

const decisionSchema = {
  type: 'object',
  properties: {
    interruption_id: { type: 'string', minLength: 1, maxLength: 128 },
    approved: { type: 'boolean' },
    input: {},
    outcome: { enum: outcomes },
    output: {},
    answer: {},
    message: { type: 'string', maxLength: 10_000 },
  },
  required: ['interruption_id'],
  oneOf: [{ required: ['approved'] }, { required: ['outcome'] }, { required: ['answer'] }],
  additionalProperties: false,
} as const satisfies ObjectSchema;

export const decisionsRequestSchema = {
  type: 'array',
  items: decisionSchema,
  minItems: 1,
  maxItems: 100,
} as const;

const examples: JsonObject = {
  examples: [
    [{ interruption_id: '…', approved: true }],
    [{ interruption_id: '…', approved: false, message: 'Not today.' }],
    [{ interruption_id: '…', outcome: 'not-done' }],
    [{ interruption_id: '…', answer: 'savings' }],
  ],
};

/**
 * @throws Problem 400 for what is no list of decisions, 422 for a decision of the wrong form; both name the field and what
 *   belongs there.
 */
export function toDecisions(body: Json | undefined): readonly Decision[] {
  try {
    if (body === undefined) throw badRequest('The body is empty. Send a list of decisions.');
    const { minItems: min, maxItems: max } = decisionsRequestSchema;
    if (Array.isArray(body) && body.length < min) {
      throw badRequest('The list is empty: give at least one decision.');
    }
    const list = listAt(body, 'The body', { min, max });
    const decisions = list.map((each, index) => formedAt(each, `decisions[${index}]`));
    const ids = new Set(decisions.map((each) => each.interruptionId));
    if (ids.size < decisions.length) {
      throw badRequest('The list answers an interruption twice. Send one decision for each.');
    }
    return decisions;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    throw error.status === 422 ? error : badRequest(error.message, examples);
  }
}

function formedAt(value: Json, at: string): Decision {
  try {
    return decisionAt(value, at);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    throw new Problem(422, 'approval_invalid', error.message, { more: examples });
  }
}

function decisionAt(value: Json, at: string): Decision {
  const fields = objectAt(value, at, decisionSchema);
  const interruptionId = textAt(fields['interruption_id'], `${at}.interruption_id`, {
    maxLength: 128,
    pattern: /^[^\p{Cc}\p{Cs}]+$/u,
    form: 'copy it from interruptions[].id',
  });
  const forms = ['approved', 'outcome', 'answer'].filter((key) => fields[key] !== undefined);
  if (forms.length !== 1) {
    throw badRequest(
      `${at} has ${forms.length === 0 ? 'none' : 'several'} of approved, outcome and answer. Send one.`,
    );
  }
  const { approved, input, outcome, output, answer } = fields;
  const message =
    fields['message'] === undefined
      ? undefined
      : textAt(fields['message'], `${at}.message`, { maxLength: 10_000 });
  const says = message === undefined ? {} : { message };
  if (answer !== undefined) {
    refuse(fields, at, ['input', 'output', 'message'], 'answer');
    return { interruptionId, answer };
  }
  if (approved !== undefined) {
    if (booleanAt(approved, `${at}.approved`)) {
      refuse(fields, at, ['output', 'message'], 'approved: true');
      return { interruptionId, approved: true, ...(input === undefined ? {} : { input }) };
    }
    refuse(fields, at, ['input', 'output'], 'approved: false');
    return { interruptionId, approved: false, ...says };
  }
  const kind = oneOfAt(outcome, `${at}.outcome`, outcomes);
  switch (kind) {
    case 'done':
      refuse(fields, at, ['input', 'message'], 'outcome: done');
      if (output === undefined) {
        throw badRequest(`${at} has outcome done and no output. Say what the call returned.`);
      }
      return { interruptionId, outcome: kind, output };
    case 'not-done':
      refuse(fields, at, ['input', 'output', 'message'], 'outcome: not-done');
      return { interruptionId, outcome: kind };
    case 'failed':
      refuse(fields, at, ['input', 'output'], 'outcome: failed');
      return { interruptionId, outcome: kind, ...says };
    default:
      return kind satisfies never;
  }
}

function refuse(fields: JsonObject, at: string, keys: readonly string[], form: string): void {
  const extra = keys.filter((key) => fields[key] !== undefined);
  if (extra.length > 0) {
    throw badRequest(`${at} has ${extra.join(' and ')}, which ${form} does not take.`);
  }
}
