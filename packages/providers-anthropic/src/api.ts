import { AgentError, type JsonObject } from '@agent-functions/core';
import {
  isHeaderText,
  notAHeader,
  once,
  readVariable,
  type Environment,
} from '@agent-functions/core/provider';
import type { AnthropicClient, Settings } from './options.ts';

/** What is needed for one call. */
export interface Connection {
  /** The first words of an error: who did not answer. */
  readonly who: string;
  /** What to check when the key is refused. */
  readonly keyName: string;
  /** Texts that no error may show. */
  readonly secrets: readonly string[];
  /** Sends a request: its events, or the whole message as the only one where `stream` is false. */
  send(body: JsonObject, betas: readonly string[], signal: AbortSignal): Promise<Events>;
}

export type Events = AsyncIterable<unknown>;

/** The way to one model: made at once, connected on first use. */
export interface Api {
  /** @throws AgentError `not_configured` with the sentence of `missing()`. */
  connect(): Promise<Connection>;
  /** The sentence that names the missing setting. */
  missing(): string | undefined;
}

// The SDK's retries and timeouts would hide what happens from a run: ours decide (`retry()`, `timeout()`).
const never = { maxRetries: 0, timeout: 2_147_483_647 } as const;

export function anthropicApi(settings: Settings): Api {
  return {
    connect: once(() => prepare(settings)),
    missing() {
      const located = locate(settings, environment());
      return 'missing' in located ? located.missing : undefined;
    },
  };
}

interface Endpoint {
  readonly baseURL: string;
  /** Undefined: a server that wants none, or a client that brings its own. */
  readonly key: string | undefined;
  readonly who: string;
  readonly keyName: string;
}

/** Puts options and environment together. Pure: what the environment is, is the caller's business. */
export function locate(
  settings: Settings,
  env: Environment,
): { readonly endpoint: Endpoint } | { readonly missing: string } {
  const { client } = settings;
  const baseURL =
    client?.baseURL ??
    settings.baseURL ??
    readVariable(env, 'ANTHROPIC_BASE_URL') ??
    'https://api.anthropic.com';
  const host = hostOf(baseURL);
  if (host === undefined && client === undefined) {
    return {
      missing:
        'anthropic() cannot use its address: baseURL or ANTHROPIC_BASE_URL must be a whole URL, such as https://example.com.',
    };
  }
  const own = host === undefined || host === 'anthropic.com' || host.endsWith('.anthropic.com');
  const who = own ? 'Anthropic' : `The model server at ${host}`;
  if (client !== undefined) {
    return { endpoint: { baseURL, key: undefined, who, keyName: 'the key of the client' } };
  }
  const named =
    readVariable(env, 'ANTHROPIC_API_KEY') === undefined
      ? 'ANTHROPIC_AUTH_TOKEN'
      : 'ANTHROPIC_API_KEY';
  const key = settings.apiKey ?? readVariable(env, named);
  if (key === undefined && own && !hasAuth(settings)) {
    return {
      missing: `The model ${settings.model} of Anthropic has no key: set ANTHROPIC_API_KEY, or pass apiKey to anthropic().`,
    };
  }
  const keyName = settings.apiKey === undefined ? named : 'the apiKey given to anthropic()';
  if (key !== undefined && !isHeaderText(key)) {
    return { missing: `Anthropic cannot be asked: ${notAHeader(keyName)}` };
  }
  return { endpoint: { baseURL: withoutVersion(baseURL), key, who, keyName } };
}

/** Reads the environment, loads the SDK, and makes the client: once, on first use. */
async function prepare(settings: Settings): Promise<Connection> {
  const located = locate(settings, environment());
  if ('missing' in located) throw new AgentError('not_configured', located.missing);
  const { endpoint } = located;
  const client = settings.client ?? (await newClient(endpoint, settings));
  const withoutKey = endpoint.key === undefined && settings.client === undefined;
  return {
    who: endpoint.who,
    keyName: endpoint.keyName,
    secrets: [
      ...(endpoint.key === undefined ? [] : [endpoint.key]),
      ...Object.values(settings.headers),
    ],
    async send(body, betas, signal) {
      const headers = {
        ...(withoutKey ? { Authorization: null } : {}),
        ...(betas.length === 0 ? {} : { 'anthropic-beta': betas.join(',') }),
        ...settings.headers,
      };
      const request = { body, headers, signal, ...never };
      if (body['stream'] === true) {
        return client.post<Events>('/v1/messages', { ...request, stream: true });
      }
      return single(await client.post<unknown>('/v1/messages', request));
    },
  };
}

async function newClient(endpoint: Endpoint, settings: Settings): Promise<AnthropicClient> {
  const { Anthropic } = await import('@anthropic-ai/sdk');
  return new Anthropic({
    ...never,
    baseURL: endpoint.baseURL,
    // Without one the SDK would look for credentials on the disk.
    apiKey: endpoint.key ?? 'unused',
    webhookKey: null,
    fetch: settings.fetch ?? globalThis.fetch,
    // To another host a redirect would take the conversation along, and the headers of the settings.
    fetchOptions: { redirect: 'manual' },
    logLevel: 'off',
  });
}

async function* single(value: unknown): Events {
  yield value;
}

function hasAuth({ headers }: Settings): boolean {
  return Object.keys(headers).some((name) => /^(authorization|x-api-key)$/i.test(name));
}

/** The SDK's paths begin with `/v1`, which other SDKs have in the address. */
function withoutVersion(baseURL: string): string {
  return baseURL.replace(/\/v1\/?$/, '');
}

/** Host and port: never the user name, password or query that a URL may carry. */
function hostOf(url: string): string | undefined {
  const parsed = URL.parse(url);
  return parsed === null || !/^https?:$/.test(parsed.protocol) ? undefined : parsed.host;
}

function environment(): Environment {
  return globalThis.process?.env ?? {};
}
