import { AgentError, type Model } from '@agent-functions/core';
import { azureOpenAI, openai } from '@agent-functions/providers-openai';
import { findOllama, type FoundOllama } from './find-ollama.ts';
import type { Script } from './script.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The model that the environment offers: OpenAI or Azure OpenAI where there is a key, else an Ollama that answers on this
 * machine, else a local server that plays `script`. The last two are looked for at the first question, not at import.
 */
export function environmentModel(script: Script, env: Environment = process.env): Model {
  if (isSet(env['OPENAI_API_KEY'])) return openai(env['OPENAI_MODEL'] ?? 'gpt-5-mini');
  if (isSet(env['AZURE_OPENAI_ENDPOINT'])) {
    return azureOpenAI(env['AZURE_OPENAI_DEPLOYMENT_NAME'] ?? 'gpt-5-mini');
  }
  return localModel(script, env);
}

/** Ollama or the offline demo: found when it is first needed, and again after a failure. */
function localModel(script: Script, env: Environment): Model {
  let chosen: Model | undefined;
  let choosing: Promise<Model> | undefined;
  let problem: string | undefined;
  const choose = (): Promise<Model> => {
    choosing ??= chooseLocal(script, env)
      .then((model) => {
        problem = undefined;
        chosen = model;
        return model;
      })
      .catch((error: unknown) => {
        choosing = undefined;
        problem = error instanceof Error ? error.message : String(error);
        throw error;
      });
    return choosing;
  };
  return {
    provider: 'openai',
    get modelId() {
      return chosen?.modelId ?? 'ollama-or-offline-demo';
    },
    // The first look at readiness, when a server starts, begins the choice: the log then says which model it is.
    ready: () => {
      choose().catch(() => undefined);
      return problem;
    },
    stream: async function* (request, options) {
      const model = await choose();
      yield* model.stream(request, options);
    },
  };
}

async function chooseLocal(script: Script, env: Environment): Promise<Model> {
  const ollama = await findOllama(env);
  if (ollama === undefined) {
    const baseURL = await startDemo(script);
    sayOnce(offlineLine);
    return openai('offline-demo', { baseURL, apiKey: 'offline', api: 'chat' });
  }
  sayOnce(ollamaLine(ollama));
  return openai(ollama.model, { baseURL: ollama.baseURL, apiKey: 'ollama', api: 'chat' });
}

/** Prints which model the agents of this process will have, unless that was printed before. */
export async function sayWhichModel(env: Environment = process.env): Promise<void> {
  if (isSet(env['OPENAI_API_KEY'])) return sayOnce('model of OpenAI');
  if (isSet(env['AZURE_OPENAI_ENDPOINT'])) return sayOnce('model of Azure OpenAI');
  const ollama = await findOllama(env);
  sayOnce(ollama === undefined ? offlineLine : ollamaLine(ollama));
}

const offlineLine =
  'offline demo model: no model is connected, a few questions are answered (see the README). Set OPENAI_API_KEY to connect one.';

function ollamaLine({ model, baseURL }: FoundOllama): string {
  return `model ${model} of Ollama at ${baseURL}`;
}

async function startDemo(script: Script): Promise<string> {
  try {
    const { startDemoServer } = await import('demo-model/server');
    return await startDemoServer(script);
  } catch (cause) {
    // A deployed app does not carry the demo.
    throw new AgentError(
      'not_configured',
      'No model is connected. Set OPENAI_API_KEY, or AZURE_OPENAI_ENDPOINT, AZURE_OPENAI_API_KEY and AZURE_OPENAI_DEPLOYMENT_NAME.',
      { cause },
    );
  }
}

const said = new Set<string>();

/** Several agents of a process have the same kind of model. */
function sayOnce(line: string): void {
  if (said.has(line)) return;
  said.add(line);
  console.log(line);
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value.trim() !== '';
}
