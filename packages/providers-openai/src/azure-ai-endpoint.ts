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
 * Models of every vendor in Azure AI Foundry, by the OpenAI-compatible endpoint of a resource or project
 * (`https://<resource>.services.ai.azure.com/openai/v1`,
 * https://learn.microsoft.com/azure/foundry/foundry-models/concepts/endpoints). An endpoint that ends in `/models` is
 * the older Model Inference API, with an `api-version`; a serverless endpoint (`*.models.ai.azure.com`) is asked at `/v1`
 * with its key as a bearer.
 */
export function locateAzureAi(settings: Settings, env: Environment): Located {
  const model = modelOf(settings, env);
  if (model === undefined) {
    return {
      missing:
        "A model of Azure AI has no name: write azureAi('my-deployment'), or set AZURE_AI_MODEL.",
    };
  }
  if (settings.client !== undefined) {
    return { endpoint: ofClient(settings, settings.client, model) };
  }
  const given =
    settings.baseURL ??
    settings.endpoint ??
    readVariable(env, 'AZURE_AI_ENDPOINT') ??
    readVariable(env, 'AZURE_INFERENCE_ENDPOINT');
  if (given === undefined) {
    return {
      missing: `The model ${model} of Azure AI has no endpoint: set AZURE_AI_ENDPOINT, or pass endpoint to azureAi().`,
    };
  }
  const host = hostOf(given);
  if (host === undefined) {
    return { missing: notAUrl('azureAi()', 'endpoint or AZURE_AI_ENDPOINT') };
  }
  const root = given.split(/[?#]/, 1)[0]?.replace(/\/+$/, '') ?? given;
  const kind = kindOf(host, root, settings);
  const auth = authOf(settings, env, kind);
  if (auth === undefined) {
    return {
      missing: `The model ${model} of Azure AI has no key: set AZURE_AI_API_KEY, or pass apiKey or credential to azureAi().`,
    };
  }
  if ('key' in auth && !isHeaderText(auth.key)) {
    const named =
      settings.apiKey === undefined
        ? (keyVariable(env) ?? 'AZURE_AI_API_KEY')
        : 'the apiKey given to azureAi()';
    return { missing: `Azure AI cannot be asked: ${notAHeader(named)}` };
  }
  const version = settings.apiVersion ?? readVariable(env, 'AZURE_AI_API_VERSION');
  // Models of most vendors speak Chat Completions only.
  const api = settings.api ?? 'chat';
  return {
    endpoint: {
      api,
      baseURL: baseUrlOf(kind, root),
      path: paths[api],
      query: queryOf(kind, version),
      auth,
      model,
      organization: null,
      project: null,
      compatible: !/^(gpt-|o\d|chatgpt|model-router)/i.test(model),
      who: 'Azure AI',
      keyName: keyNameOf(settings, auth),
    },
  };
}

/** The name, where it is known without a call. */
export function modelOf(settings: Settings, env: Environment): string | undefined {
  return settings.model ?? readVariable(env, 'AZURE_AI_MODEL');
}

type Kind = 'v1' | 'model-inference' | 'serverless' | 'as-given';

function kindOf(host: string, root: string, settings: Settings): Kind {
  if (settings.baseURL !== undefined) return 'as-given';
  if (root.endsWith('/models')) return 'model-inference';
  return /\.(models|inference)\.ai\.azure\.com(:\d+)?$/.test(host) ? 'serverless' : 'v1';
}

function baseUrlOf(kind: Kind, root: string): string {
  switch (kind) {
    case 'as-given':
    case 'model-inference':
      return root;
    case 'serverless':
      return root.endsWith('/v1') ? root : `${root}/v1`;
    case 'v1':
      return `${root.replace(/\/openai(\/v1)?$/, '')}/openai/v1`;
    default:
      return kind satisfies never;
  }
}

function queryOf(kind: Kind, version: string | undefined): { 'api-version': string } | undefined {
  if (kind === 'model-inference') return { 'api-version': version ?? '2024-05-01-preview' };
  return version === undefined || version.toLowerCase() === 'v1'
    ? undefined
    : { 'api-version': version };
}

function authOf(settings: Settings, env: Environment, kind: Kind): Auth | undefined {
  const { credential } = settings;
  if (credential !== undefined) {
    const scope =
      settings.scope ??
      (kind === 'model-inference'
        ? 'https://cognitiveservices.azure.com/.default'
        : 'https://ai.azure.com/.default');
    return { type: 'entra', token: entraToken(credential, { scope, provider: 'azure_ai' }) };
  }
  const named = keyVariable(env);
  const key = settings.apiKey ?? (named === undefined ? undefined : readVariable(env, named));
  if (key === undefined) return undefined;
  return { type: kind === 'serverless' ? 'bearer' : 'api-key', key };
}

/** The variable that has the key. */
function keyVariable(env: Environment): string | undefined {
  return ['AZURE_AI_API_KEY', 'AZURE_AI_KEY', 'AZURE_INFERENCE_CREDENTIAL'].find(
    (name) => readVariable(env, name) !== undefined,
  );
}

function keyNameOf(settings: Settings, auth: Auth): string {
  if (auth.type === 'entra') {
    return 'that the credential has the role Cognitive Services User on the resource';
  }
  return settings.apiKey === undefined
    ? 'AZURE_AI_API_KEY, and that it belongs to this endpoint'
    : 'the apiKey given to azureAi(), and that it belongs to this endpoint';
}
