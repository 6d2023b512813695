import { AgentError, type JsonObject } from '@agent-functions/core';
import { once, WireError, type Environment } from '@agent-functions/core/provider';
import { locate, type Endpoint, type Place } from './endpoint.ts';
import { HttpFailure } from './errors.ts';
import { checkedLines } from './lines.ts';
import type { OllamaClient, Settings } from './options.ts';

/** What is needed for one call. */
export interface Connection {
  /** The server, for people. */
  readonly host: string;
  /** Texts that no error may show. */
  readonly secrets: readonly string[];
  /** Asks for the answer in one piece. */
  ask(body: JsonObject, signal: AbortSignal): Promise<unknown>;
  /** Asks for a stream of lines. */
  stream(body: JsonObject, signal: AbortSignal): Promise<AsyncIterable<unknown>>;
  /** The models that the server has. */
  list(signal: AbortSignal): Promise<unknown>;
}

/** The way to one server: made at once, connected on first use. */
export interface Api {
  /** @throws AgentError `not_configured` with the sentence of `missing()`. */
  connect(): Promise<Connection>;
  /** The sentence that says what is wrong with the settings. */
  missing(): string | undefined;
}

export type ApiSettings = Place & Pick<Settings, 'fetch' | 'client'>;

export function ollamaApi(settings: ApiSettings): Api {
  return {
    connect: once(() => prepare(settings)),
    missing() {
      if (settings.client !== undefined) return undefined;
      const located = locate(settings, environment());
      return 'missing' in located ? located.missing : undefined;
    },
  };
}

/** Reads the environment, loads the SDK, and makes the client: once, on first use. */
async function prepare(settings: ApiSettings): Promise<Connection> {
  if (settings.client !== undefined) {
    return connection(settings.client, hostOf(settings.client), Object.values(settings.headers));
  }
  const located = locate(settings, environment());
  if ('missing' in located) throw new AgentError('not_configured', located.missing);
  const { endpoint } = located;
  return connection(await newClient(endpoint, settings), endpoint.host, endpoint.secrets);
}

async function newClient(endpoint: Endpoint, settings: ApiSettings): Promise<OllamaClient> {
  const { Ollama } = await import('ollama');
  const { url: host, headers } = endpoint;
  return new Ollama({ host, headers: { ...headers }, fetch: settings.fetch ?? globalThis.fetch });
}

function connection(client: OllamaClient, host: string, secrets: readonly string[]): Connection {
  return {
    host,
    secrets,
    ask: async (body, signal) => ofOneCall(client, signal, false).chat({ ...body, stream: false }),
    async stream(body, signal) {
      const lines = await ofOneCall(client, signal, true).chat({ ...body, stream: true });
      if (isIterable(lines)) return lines;
      throw new WireError('it sent no stream');
    },
    list: async (signal) => ofOneCall(client, signal, false).list(),
  };
}

/**
 * The client as one call sees it. The SDK takes no signal, its `abort()` ends every stream of a client, and an answer in
 * one piece cannot be aborted at all; so each call has a `fetch` of its own, with the call's signal.
 */
function ofOneCall(client: OllamaClient, signal: AbortSignal, streams: boolean): OllamaClient {
  const inner: unknown = Reflect.get(client, 'fetch');
  const fetch = isFetch(inner) ? inner : globalThis.fetch;
  const view: OllamaClient = Object.create(client, {
    fetch: { value: checkedFetch(fetch, signal, streams) },
    // What the SDK's own `abort()` would end. It keeps a stream there for ever that was not read to its end.
    ongoingStreamedRequests: { value: [] },
    // The SDK on Node takes a text that is the path of a file for that file, and sends what is in it. Ours are base64.
    encodeImage: { value: async (image: unknown) => image },
  });
  return view;
}

function checkedFetch(
  fetch: typeof globalThis.fetch,
  signal: AbortSignal,
  streams: boolean,
): typeof globalThis.fetch {
  return async (input, init) => {
    const theirs = init?.signal;
    const response = await fetch(input, {
      ...init,
      signal: theirs === undefined || theirs === null ? signal : AbortSignal.any([signal, theirs]),
      // A redirect to another host would take headers along.
      redirect: 'manual',
    });
    // Read here: the SDK keeps no header of a failure, and prints to the console when its body is not JSON.
    if (!response.ok) {
      const { status, headers } = response;
      throw new HttpFailure(status, headers, await response.text().catch(() => ''));
    }
    if (!streams) return response;
    if (response.body === null) throw new WireError('the body of the answer is empty');
    const { status, headers } = response;
    return new Response(response.body.pipeThrough(checkedLines()), { status, headers });
  };
}

function isFetch(value: unknown): value is typeof globalThis.fetch {
  return typeof value === 'function';
}

function isIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

/** The host of a client that was handed in; its type keeps it to itself. */
function hostOf(client: OllamaClient): string {
  const config: unknown = Reflect.get(client, 'config');
  const host: unknown =
    typeof config === 'object' && config !== null ? Reflect.get(config, 'host') : undefined;
  return (typeof host === 'string' ? URL.parse(host)?.host : undefined) ?? 'the host of its client';
}

export function environment(): Environment {
  return globalThis.process?.env ?? {};
}
