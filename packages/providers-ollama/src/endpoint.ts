import {
  isHeaderText,
  notAHeader,
  readVariable,
  type Environment,
} from '@agent-functions/core/provider';
import type { Settings } from './options.ts';

/** Where the server is, and how a request proves who asks. */
export interface Endpoint {
  /** The base URL, without `/api` and without credentials. */
  readonly url: string;
  /** The same for people: host and port. */
  readonly host: string;
  readonly headers: { readonly [name: string]: string };
  /** Texts that no error may show. */
  readonly secrets: readonly string[];
}

/** The endpoint, or the sentence that says what is wrong with the settings. */
export type Located = { readonly endpoint: Endpoint } | { readonly missing: string };

export type Place = Pick<Settings, 'host' | 'apiKey' | 'headers'>;

const defaultPort = '11434';

/** Puts options and environment together. Pure: what the environment is, is the caller's business. */
export function locate({ host, apiKey, headers }: Place, env: Environment): Located {
  const given = host ?? readVariable(env, 'OLLAMA_HOST') ?? `127.0.0.1:${defaultPort}`;
  const url = toUrl(given);
  if (url === undefined) {
    return {
      missing: `ollama() cannot use its host: ${host === undefined ? 'OLLAMA_HOST' : 'host'} must be an address such as http://127.0.0.1:${defaultPort}.`,
    };
  }
  const cloud = url.hostname === 'ollama.com';
  const key = apiKey ?? (cloud ? readVariable(env, 'OLLAMA_API_KEY') : undefined);
  if (key !== undefined && !isHeaderText(key)) {
    const named = apiKey === undefined ? 'OLLAMA_API_KEY' : 'the apiKey given to ollama()';
    return { missing: `Ollama cannot be asked: ${notAHeader(named)}` };
  }
  const auth = authorization(url, key);
  if (cloud && auth === undefined && !hasAuthorization(headers)) {
    return {
      missing: 'ollama.com wants a key: set OLLAMA_API_KEY, or pass apiKey to ollama().',
    };
  }
  url.username = '';
  url.password = '';
  return {
    endpoint: {
      url: url.href.replace(/\/$/, ''),
      host: url.host,
      headers: { ...(auth === undefined ? {} : { authorization: auth.header }), ...headers },
      secrets: [...(auth?.secrets ?? []), ...Object.values(headers)],
    },
  };
}

/** Everything that `OLLAMA_HOST` may be: a URL, a host, a port alone (`:8080`), or what a server binds to (`0.0.0.0`). */
function toUrl(given: string): URL | undefined {
  const whole = given.includes('://');
  const address = given.startsWith(':') ? `127.0.0.1${given}` : given;
  const url = URL.parse(whole ? given : `http://${address}`);
  if (url === null || !/^https?:$/.test(url.protocol) || url.hostname === '') return undefined;
  if (!whole && url.port === '' && !given.endsWith(':80')) url.port = defaultPort;
  // A server listens on all addresses; a client needs one of them.
  if (url.hostname === '0.0.0.0') url.hostname = '127.0.0.1';
  if (url.hostname === '[::]') url.hostname = '[::1]';
  // The SDK adds `/api` itself; `/v1` is the same server's other API.
  url.pathname = url.pathname.replace(/\/(api|v1)?\/?$/, '');
  url.search = '';
  url.hash = '';
  return url;
}

/** `fetch` takes no URL with a user name in it. */
function authorization(
  { username, password }: URL,
  key: string | undefined,
): { readonly header: string; readonly secrets: readonly string[] } | undefined {
  if (key !== undefined) return { header: `Bearer ${key}`, secrets: [key] };
  if (username === '') return undefined;
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const basic = btoa(pair);
  return { header: `Basic ${basic}`, secrets: [basic, decodeURIComponent(password)] };
}

function hasAuthorization(headers: { readonly [name: string]: string }): boolean {
  return Object.keys(headers).some((name) => name.toLowerCase() === 'authorization');
}
