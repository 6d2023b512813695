import {
  isJsonArray,
  isJsonObject,
  jsonSchema,
  type AgentDefinition,
  type Json,
  type JsonObject,
  type Schema,
} from '@agent-functions/core';

const message: JsonObject = {
  type: 'string',
  description: 'What the agent is asked, with everything it needs to know.',
};
const sessionId: JsonObject = {
  type: 'string',
  description:
    'The session_id of an earlier answer, to go on with that conversation. Leave it out to begin one.',
};

/** What a caller sends to an agent: `message`, or the fields of its `inputType`, and `session_id`. */
export function agentInputSchema({ inputJsonSchema }: AgentDefinition<never, unknown>): JsonObject {
  if (inputJsonSchema === undefined) {
    return {
      type: 'object',
      properties: { message, session_id: sessionId },
      required: ['message'],
      additionalProperties: false,
    };
  }
  // At the root, so that its references (#/$defs/…) lead where they led.
  const { properties } = inputJsonSchema;
  const own = isJsonObject(properties) ? properties : {};
  return {
    ...inputJsonSchema,
    properties: {
      ...own,
      ...(Object.hasOwn(own, 'message')
        ? {}
        : { message: { type: 'string', description: 'What there is to say beside the fields.' } }),
      session_id: sessionId,
    },
  };
}

/** Fields of the answers of all tools that run agents. */
const runFields: JsonObject = {
  status: {
    enum: ['completed', 'running', 'interrupted', 'stopped', 'cancelled', 'failed'],
    description:
      'running: follow it with get_run. interrupted: it waits for the answers that interruptions ask for; give them with decide_run.',
  },
  agent: { type: 'string' },
  response: { type: 'string', description: 'The answer as text.' },
  output: {},
  run_id: { type: 'string' },
  session_id: { type: 'string' },
  interruptions: { type: 'array', items: { type: 'object' } },
  stop_reason: { type: 'string' },
  error: { type: 'object' },
};

/** What a call of an agent answers: the fields of a run, with the form of the agent's own output. */
export function runOutputSchema(agent?: AgentDefinition<never, unknown>): JsonObject {
  const { output, $defs } = outputOf(agent);
  return {
    type: 'object',
    properties: { ...runFields, output },
    required: ['status', 'run_id'],
    ...($defs === undefined ? {} : { $defs }),
  };
}

/** Definitions go to the root of the schema that holds the output; one that refers to itself as a whole cannot. */
function outputOf(agent: AgentDefinition<never, unknown> | undefined): {
  readonly output: JsonObject;
  readonly $defs?: Json | undefined;
} {
  const schema = agent?.outputSpec?.schema;
  if (schema === undefined || refersElsewhere(schema)) return { output: {} };
  const { $defs, ...output } = schema;
  return { output, ...($defs === undefined ? {} : { $defs }) };
}

function refersElsewhere(schema: Json): boolean {
  if (isJsonArray(schema)) return schema.some(refersElsewhere);
  if (!isJsonObject(schema)) return false;
  return Object.entries(schema).some(
    ([key, value]) =>
      (key === '$ref' && typeof value === 'string' && !value.startsWith('#/$defs/')) ||
      refersElsewhere(value),
  );
}

/** A schema for the SDK that it lists and does not check: arguments are checked where they are read. */
export function listed(schema: JsonObject): Schema {
  return jsonSchema(schema, { validate: (value) => value });
}
