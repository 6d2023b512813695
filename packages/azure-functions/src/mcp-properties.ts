import {
  isJsonArray,
  isJsonObject,
  type AgentDefinition,
  type Json,
  type JsonObject,
} from '@agent-functions/core';
import type { McpToolProperty } from '@azure/functions';

/** What a caller of an agent sends: `message`, or the fields of its `inputType`, and `session_id`. */
export function agentProperties({
  inputJsonSchema,
}: Pick<AgentDefinition<never, unknown>, 'inputJsonSchema'>): McpToolProperty[] {
  const session = property(
    'session_id',
    'string',
    'The session_id of an earlier answer, to go on with that conversation.',
    false,
  );
  if (inputJsonSchema === undefined) {
    return [
      property('message', 'string', 'What the agent is asked, with everything it needs.', true),
      session,
    ];
  }
  const { properties, required } = inputJsonSchema;
  const own = Object.entries(isJsonObject(properties) ? properties : {});
  const demanded = isJsonArray(required) ? required : [];
  return [
    ...own.map(([name, schema]) =>
      typed(name, isJsonObject(schema) ? schema : {}, demanded.includes(name)),
    ),
    session,
  ];
}

export function property(
  propertyName: string,
  propertyType: string,
  description: string,
  isRequired: boolean,
): McpToolProperty {
  return { propertyName, propertyType, description, isRequired, isArray: false };
}

/** A field of a JSON Schema, as far as the host has words for it; the agent's own schema checks the rest. */
function typed(name: string, schema: JsonObject, isRequired: boolean): McpToolProperty {
  const isArray = schema['type'] === 'array';
  const { items } = schema;
  const of = isArray && isJsonObject(items) ? items : schema;
  const { description } = schema;
  return {
    propertyName: name,
    propertyType: typeName(of['type']),
    description: typeof description === 'string' ? description : '',
    isRequired,
    isArray,
  };
}

function typeName(type: Json | undefined): string {
  return type === 'string' || type === 'integer' || type === 'number' || type === 'boolean'
    ? type
    : 'object';
}
