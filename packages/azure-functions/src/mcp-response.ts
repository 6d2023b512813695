import type { Json, JsonObject } from '@agent-functions/core';
import azf from '@azure/functions';

const shownFields = [
  'agent',
  'response',
  'output',
  'run_id',
  'session_id',
  'interruptions',
  'stop_reason',
  'error',
  'detail',
  'code',
] as const;

/** What every tool answers beside its text. */
export const resultSchema = JSON.stringify({
  type: 'object',
  properties: {
    status: { type: 'string' },
    ...Object.fromEntries(shownFields.map((name) => [name, {}])),
  },
  required: ['status'],
});

/** The answer of the HTTP API as a tool's: text for the model, and the same as data. */
export function toResponse(body: JsonObject): unknown {
  const { status: said } = body;
  // An accepted run goes on; a problem has a number.
  const status = said === 'accepted' ? 'running' : typeof said === 'string' ? said : 'refused';
  const structured: { [name: string]: Json } = { status };
  for (const name of shownFields) {
    const value = body[name];
    if (value !== undefined) structured[name] = value;
  }
  return new azf.McpToolResponse({
    content: [new azf.McpTextContent(textOf(status, structured))],
    structuredContent: structured,
  });
}

function textOf(status: string, fields: JsonObject): string {
  const { response, detail, run_id: id, interruptions } = fields;
  const run = JSON.stringify(id ?? '');
  if (typeof detail === 'string') return detail;
  if (status === 'running') {
    return `The run goes on. Call get_run with {"run_id": ${run}} for its answer.`;
  }
  if (status === 'interrupted') {
    return `The run waits for answers: ${JSON.stringify(interruptions ?? [])}. Call decide_run with {"run_id": ${run}, "decisions": […]}.`;
  }
  return typeof response === 'string' && response !== '' ? response : `The run is ${status}.`;
}
