import { AgentError, type JsonObject } from '@agent-functions/core';
import { once, type Environment } from '@agent-functions/core/provider';
import { doneMark, type DoneMark } from './chat/done-mark.ts';
import type { Auth, Endpoint, Locate } from './endpoint.ts';
import type { OpenAIClient, Settings } from './options.ts';

/** What is needed for one call. */
export interface Connection {
  readonly endpoint: Endpoint;
  /** Texts that no error may show. */
  readonly secrets: readonly string[];
  /** Asks for the answer in one piece. */
  ask(body: JsonObject, signal: AbortSignal): Promise<unknown>;
  /** Asks for a stream of events. `done()` says, after its end, whether the vendor's own end mark was seen. */
  stream(body: JsonObject, signal: AbortSignal): Promise<EventStream>;
  /** The server refused the credential. Whether another call of `connect()` may bring a better one. */
  refused(): boolean;
}

export interface EventStream {
  readonly events: AsyncIterable<unknown>;
  readonly done: () => boolean;
}

/** The way to one model: made at once, connected on first use. */
export interface Api {
  /** @throws AgentError `not_configured` with the sentence of `missing()`. */
  connect(): Promise<Connection>;
  /** The sentence that names the missing setting. */
  missing(): string | undefined;
}

// The SDK's retries and timeouts would hide what happens from a run: ours decide (`retry()`, `timeout()`).
const never = { maxRetries: 0, timeout: 2_147_483_647 } as const;

export function openAIApi(settings: Settings, locate: Locate): Api {
  const prepared = once(() => prepare(settings, locate));
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
async function prepare(settings: Settings, locate: Locate): Promise<() => Promise<Connection>> {
  const located = locate(settings, environment());
  if ('missing' in located) throw new AgentError('not_configured', located.missing);
  const { endpoint } = located;
  const mark = endpoint.api === 'chat' && settings.client === undefined ? doneMark() : undefined;
  const client = settings.client ?? (await newClient(endpoint, settings, mark));
  const secrets = secretsOf(endpoint.auth, settings);
  return async () => connection({ endpoint, client, settings, mark, secrets });
}

interface Parts {
  readonly endpoint: Endpoint;
  readonly client: OpenAIClient;
  readonly settings: Settings;
  readonly mark: DoneMark | undefined;
  readonly secrets: readonly string[];
}

async function connection(parts: Parts): Promise<Connection> {
  const { endpoint, client, settings, mark, secrets } = parts;
  const token = endpoint.auth.type === 'entra' ? endpoint.auth.token : undefined;
  const { token: bearer, fresh = true } = (await token?.get()) ?? {};
  const headers = { ...settings.headers, ...authHeaders(endpoint.auth, settings, bearer) };
  return {
    endpoint,
    secrets: bearer === undefined ? secrets : [...secrets, bearer],
    ask: async (body, signal) =>
      client.post<unknown>(endpoint.path, { body, headers, signal, ...never }),
    async stream(body, signal) {
      const { data, response } = await client
        .post<AsyncIterable<unknown>>(endpoint.path, {
          body,
          headers,
          signal,
          ...never,
          stream: true,
        })
        .withResponse();
      return { events: data, done: () => mark?.seen(response) ?? false };
    },
    refused() {
      if (bearer === undefined) return false;
      token?.drop(bearer);
      return !fresh;
    },
  };
}

async function newClient(
  endpoint: Endpoint,
  settings: Settings,
  mark: DoneMark | undefined,
): Promise<OpenAIClient> {
  const { OpenAI } = await import('openai');
  const { auth } = endpoint;
  const fetch = settings.fetch ?? globalThis.fetch;
  return new OpenAI({
    ...never,
    baseURL: endpoint.baseURL,
    // Every other scheme sets its header by itself, call by call; the SDK insists on some key.
    apiKey: auth.type === 'bearer' ? auth.key : 'unused',
    adminAPIKey: null,
    webhookSecret: null,
    organization: endpoint.organization,
    project: endpoint.project,
    ...(endpoint.query === undefined ? {} : { defaultQuery: { ...endpoint.query } }),
    fetch: mark === undefined ? fetch : mark.watch(fetch),
    // To another host a redirect would take the conversation along, and headers with keys.
    fetchOptions: { redirect: 'manual' },
    logLevel: 'off',
  });
}

function authHeaders(
  auth: Auth,
  settings: Settings,
  bearer: string | undefined,
): { [name: string]: string | null } {
  switch (auth.type) {
    case 'bearer':
      return {};
    case 'api-key':
      return { Authorization: null, 'api-key': auth.key };
    case 'entra':
      return { Authorization: `Bearer ${bearer ?? ''}` };
    case 'none':
      return settings.client === undefined && settings.headers['Authorization'] === undefined
        ? { Authorization: null }
        : {};
    default:
      return auth satisfies never;
  }
}

function secretsOf(auth: Auth, settings: Settings): readonly string[] {
  const key = auth.type === 'bearer' || auth.type === 'api-key' ? [auth.key] : [];
  return [...key, ...Object.values(settings.headers)];
}

export function environment(): Environment {
  return globalThis.process?.env ?? {};
}
