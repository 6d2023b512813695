import { offlineGoogleCredentials } from './google-credentials.ts';
import { startOllamaServer } from './ollama-server.ts';
import { weatherScript } from './weather-script.ts';

export type Environment = { readonly [name: string]: string | undefined };

/** A way to ask a model, as the environment sees it. */
export interface Vendor {
  /** Each of them says that there is a real one. */
  readonly variables: readonly string[];
  /** The variables that lead to a server on this machine instead: the demo server at `url`, or one of its own. */
  offline(url: string): Environment | Promise<Environment>;
}

/** By the names of the files, which are the names of the providers, too. */
export const vendors: { readonly [name: string]: Vendor } = {
  openai: {
    variables: ['OPENAI_API_KEY', 'OPENAI_BASE_URL'],
    offline: (url) => ({ OPENAI_API_KEY: 'offline', OPENAI_BASE_URL: `${url}/v1` }),
  },
  'azure-openai': {
    variables: ['AZURE_OPENAI_ENDPOINT'],
    offline: (url) => ({ AZURE_OPENAI_API_KEY: 'offline', AZURE_OPENAI_ENDPOINT: url }),
  },
  'azure-ai': {
    variables: ['AZURE_AI_ENDPOINT', 'AZURE_INFERENCE_ENDPOINT'],
    offline: (url) => ({ AZURE_AI_API_KEY: 'offline', AZURE_AI_ENDPOINT: url }),
  },
  anthropic: {
    variables: ['ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN'],
    offline: (url) => ({ ANTHROPIC_API_KEY: 'offline', ANTHROPIC_BASE_URL: url }),
  },
  google: {
    variables: ['GOOGLE_API_KEY', 'GEMINI_API_KEY', 'GOOGLE_GENAI_USE_VERTEXAI'],
    // The demo server knows the paths of this version only.
    offline: (url) => ({
      GOOGLE_API_KEY: 'offline',
      GOOGLE_GEMINI_BASE_URL: url,
      GOOGLE_GENAI_API_VERSION: 'v1beta',
    }),
  },
  vertex: {
    variables: ['GOOGLE_CLOUD_PROJECT'],
    offline: async (url) => ({
      GOOGLE_CLOUD_PROJECT: 'offline',
      GOOGLE_APPLICATION_CREDENTIALS: await offlineGoogleCredentials(),
      GOOGLE_VERTEX_BASE_URL: url,
      GOOGLE_GENAI_API_VERSION: 'v1',
    }),
  },
  ollama: {
    variables: ['OLLAMA_HOST'],
    offline: async () => ({ OLLAMA_HOST: await startOllamaServer(weatherScript) }),
  },
};

/** Whether the environment names a real one. */
export function isConfigured({ variables }: Vendor, env: Environment): boolean {
  return variables.some((name) => (env[name] ?? '').trim() !== '');
}
