import {
  isHeaderText,
  notAHeader,
  readVariable,
  type Environment,
  type KeptToken,
} from '@agent-functions/core/provider';
import type { OpenAIApi, Settings } from './options.ts';

/** How a request proves who asks. */
export type Auth =
  | { readonly type: 'bearer'; readonly key: string }
  | { readonly type: 'api-key'; readonly key: string }
  | { readonly type: 'entra'; readonly token: KeptToken }
  /** A compatible server that wants no key, or a client that brings its own. */
  | { readonly type: 'none' };

/** Where a model is asked, and how. */
export interface Endpoint {
  readonly api: OpenAIApi;
  readonly baseURL: string;
  readonly path: string;
  readonly query: { readonly [name: string]: string } | undefined;
  readonly auth: Auth;
  /** The name of the model or deployment, as the body says it. */
  readonly model: string;
  readonly organization: string | null;
  readonly project: string | null;
  /** Neither OpenAI nor Azure: newer fields that such a server may not know are avoided. */
  readonly compatible: boolean;
  /** The first words of an error: who did not answer. */
  readonly who: string;
  /** What to check when the key is refused. */
  readonly keyName: string;
}

/** The endpoint, or the sentence that names the missing setting. */
export type Located = { readonly endpoint: Endpoint } | { readonly missing: string };

/** Puts options and environment together. Pure: what the environment is, is the caller's business. */
export type Locate = (settings: Settings, env: Environment) => Located;

export function locateOpenAI(settings: Settings, env: Environment): Located {
  if (settings.client !== undefined) {
    return { endpoint: ofClient(settings, settings.client, settings.model ?? '') };
  }
  const baseURL =
    settings.baseURL ?? readVariable(env, 'OPENAI_BASE_URL') ?? 'https://api.openai.com/v1';
  const host = hostOf(baseURL);
  if (host === undefined) return { missing: notAUrl('openai()', 'baseURL or OPENAI_BASE_URL') };
  const compatible = !isOpenAI(host);
  const key = settings.apiKey ?? readVariable(env, 'OPENAI_API_KEY');
  if (key === undefined && !compatible) {
    return {
      missing: `The model ${settings.model} of OpenAI has no key: set OPENAI_API_KEY, or pass apiKey to openai().`,
    };
  }
  const keyName = settings.apiKey === undefined ? 'OPENAI_API_KEY' : 'the apiKey given to openai()';
  if (key !== undefined && !isHeaderText(key)) {
    return { missing: `OpenAI cannot be asked: ${notAHeader(keyName)}` };
  }
  const api = settings.api ?? (compatible ? 'chat' : 'responses');
  return {
    endpoint: {
      api,
      baseURL,
      path: paths[api],
      query: undefined,
      auth: key === undefined ? { type: 'none' } : { type: 'bearer', key },
      model: settings.model ?? '',
      organization: settings.organization ?? readVariable(env, 'OPENAI_ORG_ID') ?? null,
      project: settings.project ?? readVariable(env, 'OPENAI_PROJECT_ID') ?? null,
      compatible,
      who: compatible ? `The model server at ${host}` : 'OpenAI',
      keyName,
    },
  };
}

/** A client that was given knows its own address and key. */
export function ofClient(
  settings: Settings,
  client: { readonly baseURL: string },
  model: string,
): Endpoint {
  const host = hostOf(client.baseURL) ?? '';
  const azure = settings.provider !== 'openai' || host.endsWith('.azure.com');
  const compatible = !azure && !isOpenAI(host);
  const api =
    settings.api ?? (compatible || settings.provider === 'azure_ai' ? 'chat' : 'responses');
  return {
    api,
    baseURL: client.baseURL,
    path: paths[api],
    query: undefined,
    auth: { type: 'none' },
    model,
    organization: null,
    project: null,
    compatible,
    who: compatible
      ? `The model server at ${host}`
      : azure
        ? nameOf({ provider: settings.provider === 'openai' ? 'azure_openai' : settings.provider })
        : 'OpenAI',
    keyName: 'the key of the client',
  };
}

/** What the vendor is called. */
export function nameOf({ provider }: Pick<Settings, 'provider'>): string {
  return vendorNames[provider];
}

const vendorNames: { readonly [provider in Settings['provider']]: string } = {
  openai: 'OpenAI',
  azure_openai: 'Azure OpenAI',
  azure_ai: 'Azure AI',
};

export const paths: { readonly [api in OpenAIApi]: string } = {
  responses: '/responses',
  chat: '/chat/completions',
};

/** OpenAI's own hosts, regional ones (`eu.api.openai.com`) included. */
function isOpenAI(host: string): boolean {
  return host === 'api.openai.com' || host.endsWith('.api.openai.com');
}

/** Host and port: never the user name, password or query that a URL may carry. */
export function hostOf(url: string): string | undefined {
  const parsed = URL.parse(url);
  return parsed === null || !/^https?:$/.test(parsed.protocol) ? undefined : parsed.host;
}

export function notAUrl(factory: string, setting: string): string {
  return `${factory} cannot use its address: ${setting} must be a whole URL, such as https://example.com/v1.`;
}
