import {
  isHeaderText,
  notAHeader,
  readVariable,
  type Environment,
} from '@agent-functions/core/provider';
import type { GoogleCredential, Settings } from './options.ts';

/** Which of Google's two APIs serves the model. They speak the same wire. */
export type Backend = 'gemini' | 'vertex';

/** How a request proves who asks. */
export type Auth =
  | { readonly type: 'key'; readonly key: string }
  | { readonly type: 'credential'; readonly credential: GoogleCredential }
  /** Application default credentials, which the SDK finds by itself. */
  | { readonly type: 'default' }
  /** A client that brings its own. */
  | { readonly type: 'client' };

/** Where a model is asked, and how. */
export interface Endpoint {
  readonly backend: Backend;
  /** `undefined`: Google's own. */
  readonly baseURL: string | undefined;
  readonly project: string | undefined;
  readonly location: string | undefined;
  readonly auth: Auth;
  /** The first words of an error: who did not answer. */
  readonly who: string;
  /** What to check when the key is refused. */
  readonly keyName: string;
}

/** The endpoint, or the sentence that names the missing setting. */
export type Located = { readonly endpoint: Endpoint } | { readonly missing: string };

/** Puts options and environment together, as the SDK reads it. Pure: what the environment is, is the caller's business. */
export function locate(settings: Settings, env: Environment): Located {
  if (settings.client !== undefined) return { endpoint: ofClient(settings.client.vertexai) };
  return (settings.vertexai ?? wantsVertex(env))
    ? ofVertex(settings, env)
    : ofGemini(settings, env);
}

function wantsVertex(env: Environment): boolean {
  const flag =
    readVariable(env, 'GOOGLE_GENAI_USE_ENTERPRISE') ??
    readVariable(env, 'GOOGLE_GENAI_USE_VERTEXAI');
  return flag?.toLowerCase() === 'true';
}

function ofClient(vertexai: boolean): Endpoint {
  return {
    backend: vertexai ? 'vertex' : 'gemini',
    baseURL: undefined,
    project: undefined,
    location: undefined,
    auth: { type: 'client' },
    who: vertexai ? 'Vertex AI' : 'The Gemini API',
    keyName: 'the credentials of the client',
  };
}

function ofGemini(settings: Settings, env: Environment): Located {
  const baseURL = settings.baseURL ?? readVariable(env, 'GOOGLE_GEMINI_BASE_URL');
  if (baseURL !== undefined && hostOf(baseURL) === undefined)
    return { missing: notAUrl('google()') };
  const named = ['GOOGLE_API_KEY', 'GEMINI_API_KEY'].find(
    (name) => readVariable(env, name) !== undefined,
  );
  const key = settings.apiKey ?? (named === undefined ? undefined : readVariable(env, named));
  if (key === undefined) {
    return {
      missing: `The model ${settings.model} of the Gemini API has no key: set GOOGLE_API_KEY or GEMINI_API_KEY, or pass apiKey to google().`,
    };
  }
  const keyName = settings.apiKey === undefined ? (named ?? '') : 'the apiKey given to google()';
  if (!isHeaderText(key)) {
    return { missing: `The Gemini API cannot be asked: ${notAHeader(keyName)}` };
  }
  return {
    endpoint: {
      backend: 'gemini',
      baseURL,
      project: undefined,
      location: undefined,
      auth: { type: 'key', key },
      who: nameOf('The Gemini API', baseURL),
      keyName,
    },
  };
}

function ofVertex(settings: Settings, env: Environment): Located {
  const { apiKey: key, credential } = settings;
  const baseURL = settings.baseURL ?? readVariable(env, 'GOOGLE_VERTEX_BASE_URL');
  if (baseURL !== undefined && hostOf(baseURL) === undefined)
    return { missing: notAUrl('vertex()') };
  const where = { backend: 'vertex', baseURL, who: nameOf('Vertex AI', baseURL) } as const;
  if (key !== undefined && !isHeaderText(key)) {
    return {
      missing: `Vertex AI cannot be asked: ${notAHeader('the apiKey given to vertex()')}`,
    };
  }
  // A key is the express mode, which belongs to no project.
  if (key !== undefined && settings.project === undefined) {
    return {
      endpoint: {
        ...where,
        project: undefined,
        location: undefined,
        auth: { type: 'key', key },
        keyName: 'the apiKey given to vertex()',
      },
    };
  }
  const project = settings.project ?? readVariable(env, 'GOOGLE_CLOUD_PROJECT');
  if (project === undefined) {
    return {
      missing: `The model ${settings.model} of Vertex AI has no project: set GOOGLE_CLOUD_PROJECT, or pass project to vertex().`,
    };
  }
  return {
    endpoint: {
      ...where,
      project,
      location: settings.location ?? readVariable(env, 'GOOGLE_CLOUD_LOCATION') ?? 'global',
      ...(key !== undefined
        ? { auth: { type: 'key', key }, keyName: 'the apiKey given to vertex()' }
        : credential !== undefined
          ? {
              auth: { type: 'credential', credential },
              keyName: 'the credential given to vertex()',
            }
          : { auth: { type: 'default' }, keyName: 'the application default credentials' }),
    },
  };
}

/** Who does not answer: the host, where it is not Google's own. Never the user name, password or query of its URL. */
function nameOf(api: string, baseURL: string | undefined): string {
  const host = baseURL === undefined ? undefined : hostOf(baseURL);
  return host === undefined || host.endsWith('.googleapis.com')
    ? api
    : `The model server at ${host}`;
}

function hostOf(url: string): string | undefined {
  const parsed = URL.parse(url);
  return parsed === null || !/^https?:$/.test(parsed.protocol) ? undefined : parsed.host;
}

function notAUrl(factory: string): string {
  return `${factory} cannot use its address: baseURL must be a whole URL, such as https://example.com.`;
}
