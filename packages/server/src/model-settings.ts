import type { Json, ModelSettings } from '@agent-functions/core';
import {
  booleanAt,
  listAt,
  numberAt,
  objectAt,
  oneOfAt,
  textAt,
  type ObjectSchema,
} from './fields.ts';

const toolChoices = ['auto', 'required', 'none'] as const;
const efforts = ['none', 'minimal', 'low', 'medium', 'high'] as const;
const reasoningSchema = {
  type: 'object',
  properties: { effort: { enum: efforts } },
  additionalProperties: false,
} as const satisfies ObjectSchema;

/** The settings a caller may choose where the app allows it; timeouts, retries and vendor options are the app's. */
export const modelSettingsSchema = {
  type: 'object',
  properties: {
    temperature: { type: 'number', minimum: 0, maximum: 2 },
    top_p: { type: 'number', minimum: 0, maximum: 1 },
    max_tokens: { type: 'integer', minimum: 1, maximum: 10_000_000 },
    stop: { type: 'array', items: { type: 'string' }, minItems: 1, maxItems: 16 },
    seed: { type: 'integer' },
    tool_choice: { enum: toolChoices },
    parallel_tool_calls: { type: 'boolean' },
    reasoning: reasoningSchema,
  },
  additionalProperties: false,
} as const satisfies ObjectSchema;

/** @throws Problem 400. */
export function modelSettingsAt(value: Json, at: string): ModelSettings {
  const fields = objectAt(value, at, modelSettingsSchema);
  const { temperature, stop, seed, reasoning } = fields;
  const topP = fields['top_p'];
  const maxTokens = fields['max_tokens'];
  const toolChoice = fields['tool_choice'];
  const parallel = fields['parallel_tool_calls'];
  return {
    ...(temperature === undefined
      ? {}
      : { temperature: numberAt(temperature, `${at}.temperature`, { min: 0, max: 2 }) }),
    ...(topP === undefined ? {} : { topP: numberAt(topP, `${at}.top_p`, { min: 0, max: 1 }) }),
    ...(maxTokens === undefined
      ? {}
      : {
          maxTokens: numberAt(maxTokens, `${at}.max_tokens`, {
            min: 1,
            max: 10_000_000,
            whole: true,
          }),
        }),
    ...(stop === undefined
      ? {}
      : {
          stop: listAt(stop, `${at}.stop`, { min: 1, max: 16 }).map((each, index) =>
            textAt(each, `${at}.stop[${index}]`, { maxLength: 256 }),
          ),
        }),
    ...(seed === undefined
      ? {}
      : {
          seed: numberAt(seed, `${at}.seed`, {
            min: Number.MIN_SAFE_INTEGER,
            max: Number.MAX_SAFE_INTEGER,
            whole: true,
          }),
        }),
    ...(toolChoice === undefined
      ? {}
      : { toolChoice: oneOfAt(toolChoice, `${at}.tool_choice`, toolChoices) }),
    ...(parallel === undefined
      ? {}
      : { parallelToolCalls: booleanAt(parallel, `${at}.parallel_tool_calls`) }),
    ...(reasoning === undefined ? {} : { reasoning: reasoningAt(reasoning, `${at}.reasoning`) }),
  };
}

function reasoningAt(value: Json, at: string): NonNullable<ModelSettings['reasoning']> {
  const { effort } = objectAt(value, at, reasoningSchema);
  return effort === undefined ? {} : { effort: oneOfAt(effort, `${at}.effort`, efforts) };
}
