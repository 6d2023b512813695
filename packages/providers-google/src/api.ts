import { AgentError, type JsonObject } from '@agent-functions/core';
import { once, type Environment, type KeptToken } from '@agent-functions/core/provider';
import type { GoogleGenAIOptions } from '@google/genai';
import { accessToken } from './access-token.ts';
import { locate, type Endpoint } from './endpoint.ts';
import type { GoogleClient, Settings } from './options.ts';

/** What is needed for one call. */
export interface Connection {
  readonly endpoint: Endpoint;
  /** Texts that no error may show. */
  readonly secrets: readonly string[];
  /** `Retry-After` of the last answer, which the SDK's error does not keep. */
  retryAfter(): string | null;
  /** Asks for the answer in one piece. */
  ask(body: JsonObject, signal: AbortSignal): Promise<unknown>;
  /** Asks for a stream of chunks. */
  stream(body: JsonObject, signal: AbortSignal): Promise<AsyncIterable<unknown>>;
  /** The server refused the credential. Whether another call of `connect()` may bring a better one. */
  refused(): boolean;
}

/** The way to one model: made at once, connected on first use. */
export interface Api {
  /** @throws AgentError `not_configured` with the sentence of `missing()`. */
  connect(): Promise<Connection>;
  /** The sentence that names the missing setting. */
  missing(): string | undefined;
}

export function googleApi(settings: Settings): Api {
  const prepared = once(() => prepare(settings));
  return {
    async connect() {
      const connection = await prepared();
      return connection();
    },
    missing() {
      const located = locate(settings, environment());
      return 'missing' in located ? located.missing : undefined;
    },
  };
}

/** Reads the environment, loads the SDK, and makes the client: once, on first use. */
async function prepare(settings: Settings): Promise<() => Promise<Connection>> {
  const located = locate(settings, environment());
  if ('missing' in located) throw new AgentError('not_configured', located.missing);
  const { endpoint } = located;
  const client = settings.client ?? (await newClient(endpoint, settings));
  const { auth } = endpoint;
  const token = auth.type === 'credential' ? accessToken(auth.credential) : undefined;
  return () => connection({ endpoint, client, settings, token });
}

interface Parts {
  readonly endpoint: Endpoint;
  readonly client: GoogleClient;
  readonly settings: Settings;
  readonly token: KeptToken | undefined;
}

/**
 * The SDK takes a request apart and builds it anew from the fields that it knows; the body here is the wire's already, so
 * it goes through `extraBody`, over contents that are only there because the SDK insists on some.
 */
const placeholder = ' ';

async function connection({ endpoint, client, settings, token }: Parts): Promise<Connection> {
  const { auth } = endpoint;
  const { token: bearer, fresh = true } = (await token?.get()) ?? {};
  const secrets = [
    ...(auth.type === 'key' ? [auth.key] : []),
    ...(bearer === undefined ? [] : [bearer]),
    ...Object.values(settings.headers),
  ];
  let retryAfter: string | null = null;

  const send: typeof globalThis.fetch = async (input, init) => {
    const headers = new Headers(init?.headers);
    if (bearer !== undefined) {
      headers.delete('x-goog-api-key');
      headers.set('authorization', `Bearer ${bearer}`);
    }
    // A redirect to another host would take the key along.
    const own: RequestInit = { ...init, headers, redirect: 'manual' };
    const response = await (settings.fetch ?? globalThis.fetch)(input, own);
    retryAfter = response.headers.get('retry-after');
    return response;
  };

  // A client that was given keeps its own fetch, and not its retries: ours decide. Without `retryOptions` the SDK asks once.
  const fetch = settings.client === undefined ? send : settings.fetch;
  const parameters = (body: JsonObject, abortSignal: AbortSignal) => ({
    model: settings.model,
    contents: placeholder,
    config: {
      abortSignal,
      // The SDK would ask again, and once more when that is cut, without a word to the run.
      automaticContinuation: false,
      httpOptions: {
        headers: { ...settings.headers },
        extraBody: { ...body },
        ...(fetch === undefined ? {} : { fetch }),
        ...(settings.client === undefined ? {} : { retryOptions: { attempts: 1 } }),
      },
    },
  });

  return {
    endpoint,
    secrets,
    retryAfter: () => retryAfter,
    ask: (body, signal) => client.models.generateContent(parameters(body, signal)),
    stream: (body, signal) => client.models.generateContentStream(parameters(body, signal)),
    refused() {
      if (bearer === undefined) return false;
      token?.drop(bearer);
      return !fresh;
    },
  };
}

async function newClient(endpoint: Endpoint, settings: Settings): Promise<GoogleClient> {
  const { GoogleGenAI } = await import('@google/genai');
  const { auth, backend, baseURL, project, location } = endpoint;
  const options: GoogleGenAIOptions = {
    vertexai: backend === 'vertex',
    ...(project === undefined ? {} : { project }),
    ...(location === undefined ? {} : { location }),
    // With any key the SDK looks for no credentials of its own; the header is replaced on the way out.
    ...(auth.type === 'key' ? { apiKey: auth.key } : {}),
    ...(auth.type === 'credential' ? { apiKey: 'unused' } : {}),
    ...(settings.apiVersion === undefined ? {} : { apiVersion: settings.apiVersion }),
    ...(baseURL === undefined ? {} : { httpOptions: { baseUrl: baseURL } }),
  };
  return new GoogleGenAI(options);
}

function environment(): Environment {
  return globalThis.process?.env ?? {};
}
