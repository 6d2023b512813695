import {
  isJsonArray,
  isJsonObject,
  toJson,
  validate,
  type Agent,
  type HostContext,
  type HttpHandler,
  type Json,
  type JsonObject,
  type Logger,
} from '@agent-functions/core';
import type { InvocationContext, McpToolFunctionOptions } from '@azure/functions';
import type { HandOvers } from './hand-over.ts';
import type { Invocation, Invocations } from './invocations.ts';
import { agentProperties, property } from './mcp-properties.ts';
import { resultSchema, toResponse } from './mcp-response.ts';

/** What the native tools of an app are made of. */
export interface McpTriggerOptions {
  readonly agents: ReadonlyMap<string, Agent<never, unknown>>;
  /** The HTTP API, which answers the calls: one engine, the same rules. */
  readonly serve: HttpHandler;
  /** What its paths begin with: `/api`. */
  readonly routePrefix: string;
  readonly invocations: Invocations;
  readonly handOvers: HandOvers | undefined;
  readonly functionTimeoutMs: () => number;
  readonly logger: Logger;
}

/** How long a call waits for its answer; then it says the id of the run. Clients give up after 60 s. */
const waitMs = 45_000;

/**
 * The functions of the host's own MCP server (`app.mcpTool`): one for each agent that has a chat, and three that follow
 * runs. Callers are known by the host's key only, so that runs have no owner and their ids are capabilities.
 */
export function mcpFunctions(
  options: McpTriggerOptions,
): readonly { readonly name: string; readonly options: McpToolFunctionOptions }[] {
  const chats = [...options.agents]
    .filter(([, agent]) => agent.enableConversationalAgent)
    .map(([name, agent]) => ({
      name: `mcp-${name}`,
      options: {
        toolName: name,
        description: agent.description === '' ? `Asks the agent ${name}.` : agent.description,
        toolProperties: agentProperties(agent),
        resultSchema,
        handler: handler(options, (fields, call) => chat(name, agent, fields, call)),
      },
    }));
  return chats.length === 0 ? [] : [...chats, ...runFunctions(options)];
}

const runId = property('run_id', 'string', 'run_id of an answer.', true);

function runFunctions(
  options: McpTriggerOptions,
): readonly { readonly name: string; readonly options: McpToolFunctionOptions }[] {
  const made = (
    toolName: string,
    description: string,
    more: readonly ReturnType<typeof property>[],
    run: Run,
  ) => ({
    name: `mcp-${toolName}`,
    options: {
      toolName,
      description,
      toolProperties: [runId, ...more],
      resultSchema,
      handler: handler(options, run),
    },
  });
  return [
    made(
      'get_run',
      'Waits for the answer of a run for a while, and says how it stands.',
      [],
      follow,
    ),
    made(
      'decide_run',
      'Gives a run the answers that its interruptions ask for: {interruption_id, approved}, {interruption_id, outcome} or {interruption_id, answer}.',
      [{ ...property('decisions', 'object', 'One answer for each.', true), isArray: true }],
      async (fields, call) => {
        const posted = await call.ask('POST', runPath(fields, '/decisions'), fields['decisions']);
        // What was answered stays open until whoever advances the run has read it.
        const answered = idsOf(fields['decisions'], 'interruption_id');
        const isOpen = (body: JsonObject) =>
          idsOf(body['interruptions'], 'id').some((id) => answered.includes(id));
        return posted.ok ? follow(fields, call, isOpen) : posted.body;
      },
    ),
    made('cancel_run', 'Stops a run. What it has done stays done.', [], async (fields, call) => {
      const posted = await call.ask('POST', runPath(fields, '/cancel'), {});
      const isOpen = ({ status }: JsonObject) => status === 'interrupted';
      return posted.ok ? follow(fields, call, isOpen) : posted.body;
    }),
  ];
}

interface Answer {
  readonly ok: boolean;
  readonly body: JsonObject;
}

interface McpCall {
  /** Asks the HTTP API. */
  ask(
    method: 'GET' | 'POST',
    path: string,
    body?: Json,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Answer>;
}

type Fields = { readonly [name: string]: Json | undefined };
type Run = (fields: Fields, call: McpCall) => Promise<JsonObject>;

async function chat(
  name: string,
  agent: Agent<never, unknown>,
  { session_id: sessionId, ...fields }: Fields,
  call: McpCall,
): Promise<JsonObject> {
  const { inputType } = agent;
  const checked = inputType === undefined ? undefined : await validate(inputType, fields);
  if (checked?.ok === false) return problem(`The input does not fit. ${checked.issues}`);
  const message = inputType === undefined ? fields['message'] : JSON.stringify(toJson(fields));
  const answer = await call.ask(
    'POST',
    `/agents/${encodeURIComponent(name)}/chat`,
    {
      ...(message === undefined ? {} : { message }),
      // A tool that is called by a form sends what was left empty.
      ...(sessionId === undefined || sessionId === '' ? {} : { session_id: sessionId }),
    },
    { prefer: `wait=${waitMs / 1_000}` },
  );
  return answer.body;
}

function runPath(fields: Fields, what: string): string {
  const id = fields['run_id'];
  return `/runs/${encodeURIComponent(typeof id === 'string' ? id : '')}${what}`;
}

/** The run as it stands, when it has ended, waits, or the time is over. */
async function follow(
  fields: Fields,
  call: McpCall,
  isOpen: (body: JsonObject) => boolean = () => false,
): Promise<JsonObject> {
  const endsAt = Date.now() + waitMs;
  for (let pauseMs = 50; ; pauseMs = Math.min(pauseMs * 2, 1_000)) {
    const { ok, body } = await call.ask('GET', runPath(fields, ''));
    const goesOn = body['status'] === 'running' || isOpen(body);
    if (!ok || !goesOn || Date.now() + pauseMs > endsAt) return body;
    await new Promise((resolve) => {
      setTimeout(resolve, pauseMs);
    });
  }
}

function idsOf(list: Json | undefined, key: string): readonly Json[] {
  if (list === undefined || !isJsonArray(list)) return [];
  return list.flatMap((one) => (isJsonObject(one) ? (one[key] ?? []) : []));
}

function problem(detail: string): JsonObject {
  return { detail, code: 'user_error' };
}

/** A function of the host. It never throws: what went wrong is the tool's answer. */
function handler(options: McpTriggerOptions, run: Run): McpToolFunctionOptions['handler'] {
  return async (input, context) => {
    const invocation = options.invocations.begin();
    const host = hostOf(context, invocation, options);
    try {
      const body = await run(argumentsOf(input, context), {
        ask: (method, path, json, headers) => ask(options, host, { method, path, json, headers }),
      });
      return toResponse(body);
    } catch (error) {
      host.log('error', 'A tool of the MCP trigger failed', {
        error: error instanceof Error ? error.message : String(error),
      });
      return toResponse(problem('The server failed. Its log has the reason.'));
    } finally {
      invocation.end();
    }
  };
}

async function ask(
  { serve, routePrefix }: McpTriggerOptions,
  host: HostContext,
  request: {
    readonly method: 'GET' | 'POST';
    readonly path: string;
    readonly json: Json | undefined;
    readonly headers: Readonly<Record<string, string>> | undefined;
  },
): Promise<Answer> {
  const { method, path, json, headers } = request;
  const response = await serve(
    new Request(`http://localhost${routePrefix}${path}`, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    }),
    host,
  );
  const body = toJson(await response.json());
  return { ok: response.ok, body: isJsonObject(body) ? body : {} };
}

/** The host sends the tool's name with the arguments; some versions of it only in the metadata. */
function argumentsOf(input: unknown, { triggerMetadata }: InvocationContext): Fields {
  const sent = toObject(input)['arguments'] ?? triggerMetadata?.['mcptoolargs'];
  return Object.fromEntries(
    Object.entries(toObject(sent)).map(([name, value]) => [name, listOrValue(name, toJson(value))]),
  );
}

function toObject(value: unknown): { readonly [name: string]: unknown } {
  const parsed = typeof value === 'string' ? parse(value) : value;
  return typeof parsed === 'object' && parsed !== null ? { ...parsed } : {};
}

/** Clients that know no lists of objects send them as text. */
function listOrValue(name: string, value: Json): Json {
  if (name !== 'decisions') return value;
  const parsed = typeof value === 'string' ? toJson(parse(value)) : value;
  return isJsonArray(parsed) ? parsed : [parsed];
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function hostOf(
  { invocationId, traceContext }: InvocationContext,
  invocation: Invocation,
  { invocations, logger, handOvers, functionTimeoutMs }: McpTriggerOptions,
): HostContext {
  const leaving = handOvers?.begin(functionTimeoutMs());
  if (leaving !== undefined) invocation.onEnd(() => leaving.end());
  const log: HostContext['log'] = (level, message, fields) =>
    logger.log(level, message, { invocationId, ...fields });
  return {
    invocationId,
    signal: invocation.signal,
    traceparent: traceContext?.traceParent,
    handOver: leaving?.handOver,
    waitUntil: (work) => invocations.waitUntil(work, log),
    log,
  };
}
