import type { JsonObject } from '@agent-functions/core';

// What the API answers, as JSON Schema: the components of the OpenAPI document. The tests hold real answers against them,
// with every property that is not named here refused.

const text = { type: 'string' } as const;
const count = { type: 'integer', minimum: 0 } as const;
const time = { type: 'string', format: 'date-time' } as const;
const link = { type: 'string', format: 'uri-reference' } as const;

/** A schema of `components`. */
export function ref(name: keyof typeof schemas): { readonly $ref: string } {
  return { $ref: `#/components/schemas/${name}` };
}

function named(name: string): JsonObject {
  return { $ref: `#/components/schemas/${name}` };
}

function object(properties: JsonObject, required: readonly string[]): JsonObject {
  return { type: 'object', properties, required };
}

function listOf(items: JsonObject): JsonObject {
  return { type: 'array', items };
}

const runStatus = ['completed', 'interrupted', 'stopped', 'cancelled'] as const;

const runProperties = {
  agent: { ...text, description: 'who was asked' },
  response: { ...text, description: 'the answer as text; empty where there is none' },
  output: { description: 'the typed answer, where the agent has an output type' },
  interruptions: { ...listOf(named('Interruption')), description: 'with status interrupted' },
  stop_reason: { ...text, description: 'with status stopped: which limit' },
  handoff_path: { ...listOf(text), description: 'every agent that had the word, in order' },
  hops: listOf(
    object(
      {
        from: text,
        to: text,
        primitive: { enum: ['transfer', 'call', 'route', 'chain'] },
        reason: text,
      },
      ['from', 'to', 'primitive'],
    ),
  ),
  session_id: text,
  conversation_id: { ...text, description: 'another name of session_id' },
  run_id: text,
  tool_results: listOf(
    object(
      { call_id: text, tool: text, arguments: {}, result: {}, is_error: { type: 'boolean' } },
      ['call_id', 'tool', 'arguments', 'result', 'is_error'],
    ),
  ),
  usage: named('Usage'),
  reflection: { type: 'object', description: 'where a ReflectionAgent answered' },
  finish_reason: text,
  context: { type: 'object', description: 'the context of the request' },
  timestamp: time,
} as const;

const runRequired = [
  'status',
  'agent',
  'response',
  'handoff_path',
  'hops',
  'run_id',
  'tool_results',
  'usage',
  'context',
  'timestamp',
] as const;

const readyCheck = object({ name: text, ok: { type: 'boolean' }, detail: text }, ['name', 'ok']);

export const schemas = {
  ChatAnswer: object({ status: { enum: runStatus }, ...runProperties }, runRequired),
  Run: {
    oneOf: [
      object(
        {
          status: { enum: [...runStatus, 'failed'] },
          ...runProperties,
          error: named('Failure'),
          links: named('RunLinks'),
        },
        [...runRequired, 'links'],
      ),
      object(
        {
          status: { const: 'running' },
          agent: text,
          run_id: text,
          session_id: text,
          conversation_id: text,
          links: named('RunLinks'),
        },
        ['status', 'agent', 'run_id', 'links'],
      ),
    ],
  },
  Accepted: object(
    {
      status: { const: 'accepted' },
      run_id: text,
      session_id: text,
      conversation_id: text,
      links: named('RunLinks'),
    },
    ['status', 'run_id', 'links'],
  ),
  RunLinks: object({ self: link, events: link, cancel: link, decisions: link }, [
    'self',
    'events',
    'cancel',
    'decisions',
  ]),
  Interruption: object(
    {
      id: text,
      kind: { enum: ['approval', 'ambiguous', 'input', 'callback'] },
      frame: text,
      agent: text,
      call_id: text,
      tool_name: text,
      input: { description: 'what is asked for' },
      input_hash: { ...text, description: 'SHA-256 of input' },
      schema: { type: 'object', description: 'JSON Schema of the answer' },
      message: text,
      expires_at: { type: 'number', description: 'milliseconds since 1970' },
    },
    ['id', 'kind', 'frame', 'agent'],
  ),
  Usage: object(
    {
      requests: count,
      input_tokens: count,
      output_tokens: count,
      total_tokens: count,
      cached_input_tokens: count,
      cache_write_input_tokens: count,
      reasoning_tokens: count,
      cost_usd: { type: 'number', minimum: 0 },
    },
    ['input_tokens', 'output_tokens', 'total_tokens'],
  ),
  Failure: object(
    { code: text, message: text, reason: text, retry_after: { type: 'number', minimum: 0 } },
    ['code', 'message'],
  ),
  AgentList: object({ agents: listOf(named('AgentSummary')), total: count }, ['agents', 'total']),
  AgentSummary: object(
    {
      name: text,
      description: text,
      version: text,
      tools: { ...count, description: 'how many' },
      links: named('AgentLinks'),
    },
    ['name', 'links'],
  ),
  AgentInfo: object(
    {
      name: text,
      description: text,
      version: text,
      streaming: { type: 'boolean' },
      conversational: { type: 'boolean' },
      instructions: text,
      tools: {
        oneOf: [
          count,
          listOf(
            object({ name: text, description: text, input_schema: { type: 'object' } }, [
              'name',
              'description',
              'input_schema',
            ]),
          ),
        ],
        description: 'how many, or which, where the agent shows them',
      },
      handoffs: { ...listOf(text), description: 'the names it hands off to' },
      links: named('AgentLinks'),
    },
    ['name', 'links'],
  ),
  AgentLinks: object({ info: link, chat: link }, ['info']),
  SessionList: object(
    {
      sessions: listOf(
        object({ session_id: text, updated_at: time, links: named('SessionLinks') }, [
          'session_id',
          'updated_at',
          'links',
        ]),
      ),
      cursor: { ...text, description: 'of the next page; absent on the last' },
    },
    ['sessions'],
  ),
  Session: object(
    {
      session_id: text,
      conversation_id: { ...text, description: 'another name of session_id' },
      entry_agent: { ...text, description: 'by whose name the session is used' },
      active_agent: { ...text, description: 'who has the next turn' },
      closed: { type: 'boolean' },
      messages: listOf(named('Message')),
      active_run: named('ActiveRun'),
      updated_at: time,
      links: named('SessionLinks'),
    },
    ['session_id', 'conversation_id', 'closed', 'messages', 'updated_at', 'links'],
  ),
  SessionLinks: object({ self: link }, ['self']),
  ActiveRun: object(
    {
      run_id: text,
      status: { enum: ['running', ...runStatus, 'failed'] },
      interruptions: listOf(named('Interruption')),
      links: named('RunLinks'),
    },
    ['run_id', 'status', 'links'],
  ),
  Message: object(
    {
      id: text,
      role: { enum: ['system', 'user', 'assistant', 'tool'] },
      agent: text,
      parts: listOf(named('Part')),
      run_id: { ...text, description: 'call ids are unique in it' },
    },
    ['id', 'role', 'parts'],
  ),
  Part: {
    oneOf: [
      object({ type: { enum: ['text', 'refusal'] }, text }, ['type', 'text']),
      object({ type: { const: 'reasoning' }, text }, ['type']),
      object({ type: { const: 'file' }, media_type: text, url: text, data: text, name: text }, [
        'type',
        'media_type',
      ]),
      object({ type: { const: 'tool-call' }, call_id: text, tool_name: text, input: {} }, [
        'type',
        'call_id',
        'tool_name',
        'input',
      ]),
      object(
        {
          type: { const: 'tool-result' },
          call_id: text,
          tool_name: text,
          output: {},
          content: listOf(named('Part')),
          is_error: { type: 'boolean' },
        },
        ['type', 'call_id', 'tool_name'],
      ),
      object({ type: { const: 'summary' }, text, replaces: count }, ['type', 'text', 'replaces']),
    ],
  },
  Health: object({ status: { const: 'ok' } }, ['status']),
  Readiness: object({ status: { enum: ['ready', 'not_ready'] }, checks: listOf(readyCheck) }, [
    'status',
  ]),
  Problem: object(
    {
      type: { type: 'string', format: 'uri' },
      title: text,
      status: { type: 'integer', minimum: 400, maximum: 599 },
      detail: text,
      instance: { type: 'string', format: 'uri' },
      code: { ...text, description: 'what programs branch on' },
      reason: { ...text, description: 'of a failed model call' },
      run_id: text,
      session_id: text,
      retry_after: { type: 'number', minimum: 0, description: 'seconds' },
      available_agents: listOf(text),
      available_routes: listOf(text),
      examples: { type: 'array', items: {} },
      active_run: named('ActiveRun'),
      decided: {
        ...listOf(named('Decided')),
        description: 'of a decision that came too late: the one that counted',
      },
      links: { type: 'object', additionalProperties: link },
    },
    ['type', 'title', 'status', 'detail', 'instance', 'code'],
  ),
  Decided: object(
    {
      interruption_id: text,
      approved: { type: 'boolean' },
      input: {},
      outcome: { enum: ['done', 'not-done', 'failed'] },
      output: {},
      answer: {},
      message: text,
    },
    ['interruption_id'],
  ),
} as const satisfies JsonObject;
