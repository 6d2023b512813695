import type { TokenCredential } from '@agent-functions/core';
import type { OpenAIApi, Settings } from './options.ts';

/** How a request proves who asks. */
export type Auth =
  | { readonly type: 'bearer'; readonly key: string }
  | { readonly type: 'api-key'; readonly key: string }
  | { readonly type: 'entra'; readonly credential: TokenCredential }
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

export type Environment = { readonly [name: string]: string | undefined };

/** Puts options and environment together. Pure: what the environment is, is the caller's business. */
export function locate(settings: Settings, env: Environment): Located {
  if (settings.client !== undefined) return ofClient(settings, settings.client, env);
  return settings.provider === 'openai' ? locateOpenAI(settings, env) : locateAzure(settings, env);
}

function locateOpenAI(settings: Settings, env: Environment): Located {
  const baseURL = settings.baseURL ?? read(env, 'OPENAI_BASE_URL') ?? 'https://api.openai.com/v1';
  const host = hostOf(baseURL);
  if (host === undefined) return { missing: notAUrl('openai()', 'baseURL or OPENAI_BASE_URL') };
  const compatible = !isOpenAI(host);
  const key = settings.apiKey ?? read(env, 'OPENAI_API_KEY');
  if (key === undefined && !compatible) {
    return {
      missing: `The model ${settings.model} of OpenAI has no key: set OPENAI_API_KEY, or pass apiKey to openai().`,
    };
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
      organization: settings.organization ?? read(env, 'OPENAI_ORG_ID') ?? null,
      project: settings.project ?? read(env, 'OPENAI_PROJECT_ID') ?? null,
      compatible,
      who: compatible ? `The model server at ${host}` : 'OpenAI',
      keyName: settings.apiKey === undefined ? 'OPENAI_API_KEY' : 'the apiKey given to openai()',
    },
  };
}

/**
 * Azure OpenAI in Foundry Models. v1: `…/openai/v1/`, no version needed. Classic: a dated `api-version`, with the
 * deployment in the path of Chat Completions (https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle).
 */
function locateAzure(settings: Settings, env: Environment): Located {
  const model = modelName(settings, env);
  if (model === undefined) return { missing: noDeployment };
  const given = settings.baseURL ?? settings.endpoint ?? read(env, 'AZURE_OPENAI_ENDPOINT');
  if (given === undefined) {
    return {
      missing: `The deployment ${model} of Azure OpenAI has no endpoint: set AZURE_OPENAI_ENDPOINT, or pass endpoint to azureOpenAI().`,
    };
  }
  const host = hostOf(given);
  if (host === undefined) {
    return { missing: notAUrl('azureOpenAI()', 'endpoint or AZURE_OPENAI_ENDPOINT') };
  }
  const auth = azureAuth(settings, env);
  if (auth === undefined) {
    return {
      missing: `The deployment ${model} of Azure OpenAI has no key: set AZURE_OPENAI_API_KEY, or pass apiKey or credential to azureOpenAI().`,
    };
  }
  const version = settings.apiVersion ?? read(env, 'AZURE_OPENAI_API_VERSION');
  const classic = version !== undefined && !/^(v1|latest|preview)$/i.test(version);
  const api = settings.api ?? (classic ? 'chat' : 'responses');
  const root = given.split(/[?#]/, 1)[0]?.replace(/\/+$/, '') ?? given;
  const resource = root.replace(/\/openai(\/v1)?$/, '');
  return {
    endpoint: {
      api,
      baseURL: settings.baseURL !== undefined ? root : `${resource}/openai${classic ? '' : '/v1'}`,
      path:
        classic && api === 'chat' && !root.includes('/deployments/')
          ? `/deployments/${encodeURIComponent(model)}${paths.chat}`
          : paths[api],
      query:
        version === undefined || version.toLowerCase() === 'v1'
          ? undefined
          : { 'api-version': version },
      auth,
      model,
      organization: null,
      project: null,
      compatible: false,
      who: 'Azure OpenAI',
      keyName: azureKeyName(settings, auth),
    },
  };
}

function ofClient(
  settings: Settings,
  client: { readonly baseURL: string },
  env: Environment,
): Located {
  const model = modelName(settings, env);
  if (model === undefined) return { missing: noDeployment };
  const host = hostOf(client.baseURL) ?? '';
  const azure = settings.provider === 'azure_openai' || host.endsWith('.azure.com');
  const compatible = !azure && !isOpenAI(host);
  const api = settings.api ?? (compatible ? 'chat' : 'responses');
  return {
    endpoint: {
      api,
      baseURL: client.baseURL,
      path: paths[api],
      query: undefined,
      auth: { type: 'none' },
      model,
      organization: null,
      project: null,
      compatible,
      who: compatible ? `The model server at ${host}` : azure ? 'Azure OpenAI' : 'OpenAI',
      keyName: 'the key of the client',
    },
  };
}

/** The model or deployment, where it is known without a call. */
export function modelName(settings: Settings, env: Environment): string | undefined {
  return (
    settings.model ??
    (settings.provider === 'azure_openai' ? read(env, 'AZURE_OPENAI_DEPLOYMENT_NAME') : undefined)
  );
}

const noDeployment =
  "A model of Azure OpenAI has no deployment: write azureOpenAI('my-deployment'), or set AZURE_OPENAI_DEPLOYMENT_NAME.";

const paths: { readonly [api in OpenAIApi]: string } = {
  responses: '/responses',
  chat: '/chat/completions',
};

function azureAuth(settings: Settings, env: Environment): Auth | undefined {
  if (settings.credential !== undefined) return { type: 'entra', credential: settings.credential };
  const key = settings.apiKey ?? read(env, 'AZURE_OPENAI_API_KEY');
  return key === undefined ? undefined : { type: 'api-key', key };
}

function azureKeyName(settings: Settings, auth: Auth): string {
  if (auth.type === 'entra') {
    return 'that the credential has the role Cognitive Services OpenAI User on the resource';
  }
  return settings.apiKey === undefined
    ? 'AZURE_OPENAI_API_KEY, and that it belongs to this endpoint'
    : 'the apiKey given to azureOpenAI(), and that it belongs to this endpoint';
}

/** OpenAI's own hosts, regional ones (`eu.api.openai.com`) included. */
function isOpenAI(host: string): boolean {
  return host === 'api.openai.com' || host.endsWith('.api.openai.com');
}

/** Host and port: never the user name, password or query that a URL may carry. */
function hostOf(url: string): string | undefined {
  const parsed = URL.parse(url);
  return parsed === null || !/^https?:$/.test(parsed.protocol) ? undefined : parsed.host;
}

function notAUrl(factory: string, setting: string): string {
  return `${factory} cannot use its address: ${setting} must be a whole URL, such as https://example.com/v1.`;
}

function read(env: Environment, name: string): string | undefined {
  const value = env[name]?.trim();
  return value === '' ? undefined : value;
}
