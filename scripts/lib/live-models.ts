import type { Model } from '@agent-functions/core';
import { anthropic } from '@agent-functions/providers-anthropic';
import { google, vertex } from '@agent-functions/providers-google';
import { ollama } from '@agent-functions/providers-ollama';
import { azureAi, azureOpenAI, openai } from '@agent-functions/providers-openai';

export interface LiveModel {
  readonly name: string;
  readonly model: Model;
  /** The same with a key that is not one; absent where no key is asked for. */
  readonly withWrongKey?: Model;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** A provider, and its models where the environment has what they need. */
interface LiveProvider {
  readonly name: string;
  /** Each of these sets of variables will do. */
  readonly needs: readonly (readonly string[])[];
  models(env: Environment): readonly LiveModel[];
}

const wrong = { apiKey: 'sk-not-a-key' };
const wrongToken = {
  getToken: async () => ({ token: 'not-a-token', expiresOnTimestamp: Date.now() + 3_600_000 }),
};

const providers: readonly LiveProvider[] = [
  {
    name: 'OpenAI',
    needs: [['OPENAI_API_KEY']],
    models: (env) => {
      const id = env['SMOKE_MODEL_OPENAI'] ?? 'gpt-5-mini';
      return (['responses', 'chat'] as const).map((api) => ({
        name: `OpenAI ${id} (${api})`,
        model: openai(id, { api }),
        withWrongKey: openai(id, { api, ...wrong }),
      }));
    },
  },
  {
    name: 'Azure OpenAI',
    needs: [['AZURE_OPENAI_ENDPOINT', 'AZURE_OPENAI_API_KEY', 'AZURE_OPENAI_DEPLOYMENT_NAME']],
    models: (env) => [
      {
        name: `Azure OpenAI ${env['AZURE_OPENAI_DEPLOYMENT_NAME']}`,
        model: azureOpenAI(),
        withWrongKey: azureOpenAI(undefined, wrong),
      },
    ],
  },
  {
    name: 'Azure AI',
    needs: [['AZURE_AI_ENDPOINT', 'AZURE_AI_API_KEY', 'AZURE_AI_MODEL']],
    models: (env) => [
      {
        name: `Azure AI ${env['AZURE_AI_MODEL']}`,
        model: azureAi(),
        withWrongKey: azureAi(undefined, wrong),
      },
    ],
  },
  {
    name: 'Anthropic',
    needs: [['ANTHROPIC_API_KEY'], ['ANTHROPIC_AUTH_TOKEN']],
    models: (env) => {
      const id = env['SMOKE_MODEL_ANTHROPIC'] ?? 'claude-haiku-5-5';
      return [
        {
          name: `Anthropic ${id}`,
          model: anthropic(id),
          withWrongKey: anthropic(id, wrong),
        },
      ];
    },
  },
  {
    name: 'Gemini API',
    needs: [['GOOGLE_API_KEY'], ['GEMINI_API_KEY']],
    models: (env) => {
      const id = env['SMOKE_MODEL_GOOGLE'] ?? 'gemini-3.8-flash';
      return [
        {
          name: `Gemini API ${id}`,
          model: google(id, { vertexai: false }),
          withWrongKey: google(id, { vertexai: false, ...wrong }),
        },
      ];
    },
  },
  {
    name: 'Vertex AI',
    needs: [['GOOGLE_CLOUD_PROJECT']],
    models: (env) => {
      const id = env['SMOKE_MODEL_GOOGLE'] ?? 'gemini-3.8-flash';
      return [
        {
          name: `Vertex AI ${id}`,
          model: vertex(id),
          withWrongKey: vertex(id, { credential: wrongToken }),
        },
      ];
    },
  },
  {
    name: 'Ollama',
    needs: [['OLLAMA_HOST']],
    models: (env) => {
      const id = env['SMOKE_MODEL_OLLAMA'] ?? 'qwen3:4b';
      return [{ name: `Ollama ${id}`, model: ollama(id) }];
    },
  },
];

/** The models that this environment gives access to, and for each provider without one which variables it needs. */
export function liveModels(env: Environment): {
  readonly found: readonly LiveModel[];
  readonly skipped: readonly { readonly name: string; readonly needs: string }[];
} {
  const isThere = ({ needs }: LiveProvider): boolean =>
    needs.some((names) => names.every((name) => (env[name] ?? '').trim() !== ''));
  return {
    found: providers.filter(isThere).flatMap((one) => one.models(env)),
    skipped: providers
      .filter((one) => !isThere(one))
      .map(({ name, needs }) => ({
        name,
        needs: needs.map((names) => names.join(', ')).join(' or '),
      })),
  };
}
