import type { Decision, Json, JsonObject } from '@agent-functions/core';
import { fieldsOf } from './call.ts';

/** Answers to interruptions, in the form of the HTTP API (docs: http-api). */
export const decisionsSchema: JsonObject = {
  type: 'array',
  minItems: 1,
  maxItems: 100,
  description:
    'One answer for each interruption: {interruption_id, approved} for an approval (with input to change it, with message to say why not), {interruption_id, outcome} for a call that nobody knows the end of (with output for done), {interruption_id, answer} for a question.',
  items: {
    type: 'object',
    properties: {
      interruption_id: { type: 'string' },
      approved: { type: 'boolean' },
      input: { description: 'With approved: true, instead of the input that was shown.' },
      message: { type: 'string', description: 'With approved: false or outcome: failed.' },
      outcome: { enum: ['done', 'not-done', 'failed'] },
      output: { description: 'With outcome: done, what the call returned.' },
      answer: { description: 'What was asked for.' },
    },
    required: ['interruption_id'],
    additionalProperties: false,
  },
};

/** @throws Error that says what is wrong, for the model that wrote it. */
export function toDecisions(value: Json | undefined): readonly Decision[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > 100) {
    throw new Error('decisions must be a list of 1 to 100 answers.');
  }
  const decisions = value.map((one: unknown, index) => toDecision(one, `decisions[${index}]`));
  const ids = new Set(decisions.map(({ interruptionId }) => interruptionId));
  if (ids.size < decisions.length) {
    throw new Error('decisions answers an interruption twice. Send one answer for each.');
  }
  return decisions;
}

/** Which fields go with which kind of answer. */
const forms = {
  approve: ['input'],
  refuse: ['message'],
  answer: [],
  done: ['output'],
  'not-done': [],
  failed: ['message'],
} as const;

function toDecision(value: unknown, at: string): Decision {
  const { interruption_id: interruptionId, ...fields } = fieldsOf(value);
  if (typeof interruptionId !== 'string' || interruptionId === '') {
    throw new Error(`${at} has no interruption_id. Copy it from interruptions[].id.`);
  }
  const said = ['approved', 'outcome', 'answer'].filter((key) => fields[key] !== undefined);
  if (said.length !== 1) {
    throw new Error(
      `${at} has ${said.length === 0 ? 'none' : 'several'} of approved, outcome and answer. Send one.`,
    );
  }
  const { approved, outcome, answer, input, output } = fields;
  const form = formOf(approved, outcome, at);
  checkFields(fields, form, at);
  const message = messageOf(fields['message'], at);
  switch (form) {
    case 'approve':
      return { interruptionId, approved: true, ...(input === undefined ? {} : { input }) };
    case 'refuse':
      return { interruptionId, approved: false, ...message };
    case 'done':
      if (output === undefined) {
        throw new Error(`${at} has outcome done and no output. Say what the call returned.`);
      }
      return { interruptionId, outcome: form, output };
    case 'not-done':
      return { interruptionId, outcome: form };
    case 'failed':
      return { interruptionId, outcome: form, ...message };
    case 'answer':
      return { interruptionId, answer: answer ?? null };
    default:
      return form satisfies never;
  }
}

function formOf(
  approved: Json | undefined,
  outcome: Json | undefined,
  at: string,
): keyof typeof forms {
  if (approved !== undefined) {
    if (typeof approved !== 'boolean') throw new Error(`${at}.approved must be true or false.`);
    return approved ? 'approve' : 'refuse';
  }
  if (outcome === undefined) return 'answer';
  if (outcome === 'done' || outcome === 'not-done' || outcome === 'failed') return outcome;
  throw new Error(`${at}.outcome must be done, not-done or failed.`);
}

function checkFields(
  fields: { readonly [name: string]: Json | undefined },
  form: keyof typeof forms,
  at: string,
): void {
  const allowed: readonly string[] = ['approved', 'outcome', 'answer', ...forms[form]];
  const extra = Object.keys(fields).filter(
    (key) => fields[key] !== undefined && !allowed.includes(key),
  );
  if (extra.length > 0)
    throw new Error(`${at} has ${extra.join(' and ')}, which does not go there.`);
}

function messageOf(message: Json | undefined, at: string): { readonly message?: string } {
  if (message === undefined) return {};
  if (typeof message === 'string' && message.length <= 10_000) return { message };
  throw new Error(`${at}.message must be a text of at most 10,000 characters.`);
}
