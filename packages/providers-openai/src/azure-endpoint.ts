import {
  type Environment,
  isHeaderText,
  notAHeader,
  readVariable,
} from '@agent-functions/core/provider';
import { hostOf, notAUrl, ofClient, paths, type Auth, type Located } from './endpoint.ts';
import { entraToken } from './entra-token.ts';
import type { Settings } from './options.ts';

/**
 * Azure OpenAI in Foundry Models. v1: `…/openai/v1/`, no version needed. Classic: a dated `api-version`, with the
 * deployment in the path of Chat Completions (https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle).
 */
export function locateAzure(settings: Settings, env: Environment): Located {
  const model = deploymentOf(settings, env);
  if (model === undefined) {
    return {
      missing:
        "A model of Azure OpenAI has no deployment: write azureOpenAI('my-deployment'), or set AZURE_OPENAI_DEPLOYMENT_NAME.",
    };
  }
  if (settings.client !== undefined)
    return { endpoint: ofClient(settings, settings.client, model) };
  const given = settings.baseURL ?? settings.endpoint ?? readVariable(env, 'AZURE_OPENAI_ENDPOINT');
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
  if ('key' in auth && !isHeaderText(auth.key)) {
    const named =
      settings.apiKey === undefined ? 'AZURE_OPENAI_API_KEY' : 'the apiKey given to azureOpenAI()';
    return { missing: `Azure OpenAI cannot be asked: ${notAHeader(named)}` };
  }
  const version = settings.apiVersion ?? readVariable(env, 'AZURE_OPENAI_API_VERSION');
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

/** The deployment, where it is known without a call. */
export function deploymentOf(settings: Settings, env: Environment): string | undefined {
  return settings.model ?? readVariable(env, 'AZURE_OPENAI_DEPLOYMENT_NAME');
}

function azureAuth(settings: Settings, env: Environment): Auth | undefined {
  if (settings.credential !== undefined) {
    const scope = settings.scope ?? 'https://cognitiveservices.azure.com/.default';
    return {
      type: 'entra',
      token: entraToken(settings.credential, { scope, provider: 'azure_openai' }),
    };
  }
  const key = settings.apiKey ?? readVariable(env, 'AZURE_OPENAI_API_KEY');
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
