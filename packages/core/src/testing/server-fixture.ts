import type { AgentConfig } from '../agent-definition.ts';
import { Agent } from '../agent.ts';
import { isJsonObject, type Json, type JsonObject } from '../json.ts';
import type { Logger } from '../logger.ts';
import type { Principal } from '../events.ts';
import { jsonSchema } from '../schema.ts';
import type { Store } from '../store.ts';
import { tool, type Tool } from '../tool.ts';
import { ok } from './assert.ts';
import { scriptedModel, type Script, type ScriptedModel } from './scripted-model.ts';
import type { ScriptedTurn } from './scripted-turn.ts';

/** What the suite asks of a server: options of `agentServer()`, whatever mounts it. */
export interface ServerOptionsUnderTest {
  readonly agents: readonly Agent<unknown, unknown>[];
  readonly store: Store;
  readonly authenticate?: ((request: WireRequest) => Principal | undefined) | undefined;
  readonly allowAnonymous?: boolean | undefined;
  readonly onDisconnect?: 'cancel' | 'continue' | undefined;
  readonly heartbeatMs?: number | undefined;
  readonly leaseMs?: number | undefined;
  readonly bodyLimitBytes?: number | undefined;
  readonly logger: Logger;
}

/** The part of a `Request` that `authenticate` of the suite reads. */
export interface WireRequest {
  readonly headers: { get(name: string): string | null };
}

/** A request as the suite writes it; `fetch(base + path, init)` takes it as it is. */
export interface WireInit {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** What the suite reads of a `Response`. */
export interface WireResponse {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly body: AsyncIterable<Uint8Array> | null;
  text(): Promise<string>;
}

/** A server of its own for one test. */
export interface ServerUnderTest {
  request(path: string, init?: WireInit): Promise<WireResponse>;
  dispose(): Promise<void>;
}

export type MakeServer = (options: ServerOptionsUnderTest) => Promise<ServerUnderTest>;

/** What one test works with. */
export interface ServerFixture {
  /** Begins a server; it is disposed of, and every journal verified, after the test. */
  serve(options: Partial<ServerOptionsUnderTest>): Promise<Client>;
  /** What the server logged, as text. */
  readonly log: readonly string[];
}

/** Registers one test of a server. */
export type ServerCase = (name: string, body: (fixture: ServerFixture) => Promise<void>) => void;

/** A JSON answer, read. */
export interface Answer {
  readonly status: number;
  readonly headers: WireResponse['headers'];
  readonly text: string;
  /** The body as JSON; an empty object when it is none. */
  readonly body: JsonObject;
}

/** Talks to one server the way a caller does. */
export class Client {
  readonly store: Store;
  readonly #server: ServerUnderTest;

  constructor(server: ServerUnderTest, store: Store) {
    this.#server = server;
    this.store = store;
  }

  request(path: string, init: WireInit = {}): Promise<WireResponse> {
    return this.#server.request(path, init);
  }

  async get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return read(await this.request(path, { headers }));
  }

  async post(path: string, body?: Json, headers: Record<string, string> = {}): Promise<Answer> {
    return read(await this.request(path, postInit(body, headers)));
  }

  chat(agent: string, body: Json, headers: Record<string, string> = {}): Promise<Answer> {
    return this.post(`/api/agents/${agent}/chat`, body, headers);
  }

  async streamChat(
    agent: string,
    body: Json,
    headers: Record<string, string> = {},
  ): Promise<WireResponse> {
    return this.request(
      `/api/agents/${agent}/chat`,
      postInit(body, { accept: 'text/event-stream', ...headers }),
    );
  }
}

export function postInit(body: Json | undefined, headers: Record<string, string> = {}): WireInit {
  return body === undefined
    ? { method: 'POST', headers }
    : {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
      };
}

async function read(response: WireResponse): Promise<Answer> {
  const text = await response.text();
  const { status, headers } = response;
  let body: JsonObject = {};
  try {
    const parsed: Json = JSON.parse(text);
    if (isJsonObject(parsed)) body = parsed;
  } catch {
    // Not JSON: `text` is what there is.
  }
  return { status, headers, text, body };
}

/** A field that must be a text. */
export function textField(object: JsonObject, key: string): string {
  const value = object[key];
  ok(typeof value === 'string', `${key} is ${JSON.stringify(value)}, not a text`);
  return value;
}

/** An agent that plays a script, and its model. */
export function scripted(
  name: string,
  script: Script,
  more: Partial<AgentConfig<unknown, unknown>> = {},
): { readonly agent: Agent<unknown, unknown>; readonly model: ScriptedModel } {
  const model = scriptedModel(script);
  return { model, agent: new Agent<unknown, unknown>({ name, model, ...more }) };
}

/** A turn that hands off to an agent. */
export function handsOff(to: string, message: string, reason?: string): ScriptedTurn {
  return {
    calls: [[`handoff_to_${to}`, { message, ...(reason === undefined ? {} : { reason }) }]],
  };
}

const anyObject = jsonSchema<JsonObject>(
  { type: 'object' },
  {
    validate: (value) => {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) {
        throw new Error('it must be an object');
      }
      return Object.fromEntries(Object.entries(value));
    },
  },
);

/** A tool that answers at once and counts its calls. */
export function countingTool(
  name: string,
  options: { readonly needsApproval?: boolean } = {},
): { readonly tool: Tool; readonly calls: () => number } {
  let calls = 0;
  return {
    calls: () => calls,
    tool: tool({
      name,
      description: `The tool ${name}.`,
      parameters: anyObject,
      ...options,
      execute: (input) => {
        calls += 1;
        return { done: input };
      },
    }),
  };
}
