import type { JsonObject } from '@agent-functions/core';
import { cancelSchema } from './cancel-request.ts';
import { chatRequestSchema, idPattern } from './chat-request.ts';
import { decisionsRequestSchema } from './decisions-request.ts';
import { cursorSchema, limitSchema } from './page.ts';
import { ref, schemas } from './response-schemas.ts';

/** What the OpenAPI document says of a route, without its path. */
export interface Operation {
  readonly id: string;
  readonly summary: string;
  readonly tag: 'agents' | 'runs' | 'sessions' | 'server';
  readonly parameters?: readonly JsonObject[] | undefined;
  readonly request?: { readonly schema: JsonObject; readonly required: boolean } | undefined;
  /** By status, without problems. */
  readonly responses: { readonly [status: string]: JsonObject };
  /** The statuses of its problems, beside 401 and those of the server itself. */
  readonly problems: readonly number[];
}

const eventStream = {
  'text/event-stream': {
    schema: {
      type: 'string',
      description:
        'event: its type, id: its cursor, data: the event as JSON; the last is run-end or run-pause.',
    },
  },
} as const;
const runId = inPath('id', { type: 'string', pattern: '^[A-Za-z0-9_-]{1,128}$' });
const sessionId = inPath('id', { type: 'string', pattern: idPattern.source });
const lastEventId = inHeader(
  'Last-Event-ID',
  { type: 'string' },
  'The id of the last event received: the stream goes on behind it.',
);

/** One for each route of the API. */
export const operations = {
  chat: {
    id: 'chat',
    summary: 'One turn of a conversation, as JSON or as an event stream.',
    tag: 'agents',
    parameters: [
      inHeader(
        'Idempotency-Key',
        { type: 'string', minLength: 1, maxLength: 255 },
        'Sent again with the same body: the same run, the same answer. Without a principal at least 32 characters.',
      ),
      inHeader(
        'Prefer',
        { type: 'string' },
        'respond-async: 202 at once. wait=n: the answer, or 202 after n seconds (RFC 7240).',
      ),
      inHeader('X-Stream', { enum: ['true', 'false'] }, 'Another form of "stream" in the body.'),
      { ...lastEventId, description: 'With the Idempotency-Key of a stream: reads on behind it.' },
    ],
    request: { schema: chatRequestSchema, required: true },
    responses: {
      200: {
        description: 'How the run ended, or what it asks; or its events.',
        headers: {
          'Idempotency-Replayed': header('true where the run was there before this request'),
          'Preference-Applied': header('what of Prefer was applied'),
          Location: header('of an event stream: the run'),
        },
        content: { 'application/json': { schema: ref('ChatAnswer') }, ...eventStream },
      },
      202: acceptedAnswer('The run goes on: Location names it.'),
      204: { description: 'Nothing comes behind Last-Event-ID any more.' },
    },
    problems: [400, 404, 409, 413, 415, 422, 429, 502, 503, 504],
  },
  info: {
    id: 'info',
    summary: 'What the agent chose to show of itself.',
    tag: 'agents',
    responses: { 200: answer('The agent.', 'AgentInfo') },
    problems: [404],
  },
  agents: {
    id: 'listAgents',
    summary: 'The agents of this server.',
    tag: 'agents',
    responses: { 200: answer('The agents.', 'AgentList') },
    problems: [],
  },
  health: {
    id: 'health',
    summary: 'Whether the server is alive. Asks for nobody, names nothing.',
    tag: 'server',
    responses: { 200: answer('It is.', 'Health') },
    problems: [],
  },
  ready: {
    id: 'ready',
    summary: 'Whether the server can answer: its store, and the model of each agent.',
    tag: 'server',
    responses: {
      200: answer('It can.', 'Readiness'),
      503: answer('It cannot: checks say why.', 'Readiness'),
    },
    problems: [],
  },
  run: {
    id: 'getRun',
    summary: 'How a run stands.',
    tag: 'runs',
    parameters: [runId],
    responses: { 200: answer('The run.', 'Run') },
    problems: [404],
  },
  events: {
    id: 'followRun',
    summary: 'The events of a run as a stream.',
    tag: 'runs',
    parameters: [
      runId,
      lastEventId,
      inQuery('after', { type: 'string' }, 'Last-Event-ID, where it cannot be a header.'),
    ],
    responses: {
      200: { description: 'Its events, until it ends or pauses.', content: eventStream },
      204: { description: 'Nothing more comes.' },
    },
    problems: [400, 404],
  },
  cancel: {
    id: 'cancelRun',
    summary: 'Stops a run.',
    tag: 'runs',
    parameters: [runId],
    request: { schema: cancelSchema, required: false },
    responses: {
      200: answer('It has ended before.', 'Run'),
      202: acceptedAnswer('Whoever advances the run will stop it.'),
    },
    problems: [400, 404, 413, 415],
  },
  decisions: {
    id: 'decide',
    summary: 'Answers what a run asks. A list counts as a whole; the first that comes counts.',
    tag: 'runs',
    parameters: [runId],
    request: { schema: decisionsRequestSchema, required: true },
    responses: { 202: acceptedAnswer('It counts, and the run goes on.') },
    problems: [400, 404, 409, 413, 415, 422],
  },
  sessions: {
    id: 'listSessions',
    summary: "The caller's conversations, newest first.",
    tag: 'sessions',
    parameters: [
      inQuery('limit', limitSchema, 'Of one page.'),
      inQuery('cursor', cursorSchema, 'Of the page before.'),
    ],
    responses: { 200: answer('A page.', 'SessionList') },
    problems: [400, 404],
  },
  session: {
    id: 'getSession',
    summary: 'A conversation: its messages, who is next, and the run at work.',
    tag: 'sessions',
    parameters: [sessionId],
    responses: { 200: answer('The conversation.', 'Session') },
    problems: [404],
  },
  deleteSession: {
    id: 'deleteSession',
    summary: 'Deletes a conversation with its runs.',
    tag: 'sessions',
    parameters: [sessionId],
    responses: { 204: { description: 'It is gone.' } },
    problems: [404, 409],
  },
  openapi: {
    id: 'openapi',
    summary: 'This document.',
    tag: 'server',
    responses: {
      200: {
        description: 'An OpenAPI 3.1 document.',
        content: { 'application/json': { schema: { type: 'object' } } },
      },
    },
    problems: [],
  },
} as const satisfies Readonly<Record<string, Operation>>;

function answer(description: string, schema: keyof typeof schemas): JsonObject {
  return { description, content: { 'application/json': { schema: ref(schema) } } };
}

function acceptedAnswer(description: string): JsonObject {
  return {
    ...answer(description, 'Accepted'),
    headers: {
      Location: header('the run'),
      'Retry-After': header('seconds until a look is worth it'),
    },
  };
}

function header(description: string): JsonObject {
  return { description, schema: { type: 'string' } };
}

function inPath(name: string, schema: JsonObject): JsonObject {
  return { name, in: 'path', required: true, schema };
}

function inQuery(name: string, schema: JsonObject, description: string): JsonObject {
  return { name, in: 'query', description, schema };
}

function inHeader(name: string, schema: JsonObject, description: string): JsonObject {
  return { name, in: 'header', description, schema };
}
