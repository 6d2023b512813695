/**
 * Ten minutes with real models, for whoever has a key: every model whose key is in the environment streams text,
 * runs a tool loop, answers with structured output and reports a wrong key. Costs well under a cent each.
 *
 * OPENAI_API_KEY · AZURE_OPENAI_API_KEY with AZURE_OPENAI_ENDPOINT and AZURE_OPENAI_DEPLOYMENT_NAME · OLLAMA_HOST;
 * SMOKE_MODEL_OPENAI, SMOKE_MODEL_OLLAMA choose other models.
 */
import { Agent, AgentError, run, tool, type Model } from '@agent-functions/core';
import { azureOpenAI, openai } from '@agent-functions/providers-openai';
import { z } from 'zod';

export interface LiveModel {
  readonly name: string;
  readonly model: Model;
  /** The same with a key that is not one; absent where no key is asked for. */
  readonly withWrongKey?: Model;
}

/** The models that this environment gives access to. */
export function liveModels(env: NodeJS.ProcessEnv): readonly LiveModel[] {
  const found: LiveModel[] = [];
  const wrong = { apiKey: 'sk-not-a-key' };
  if (env['OPENAI_API_KEY'] !== undefined) {
    const id = env['SMOKE_MODEL_OPENAI'] ?? 'gpt-5-mini';
    for (const api of ['responses', 'chat'] as const)
      found.push({
        name: `OpenAI ${id} (${api})`,
        model: openai(id, { api }),
        withWrongKey: openai(id, { api, ...wrong }),
      });
  }
  if (env['AZURE_OPENAI_ENDPOINT'] !== undefined && env['AZURE_OPENAI_API_KEY'] !== undefined)
    found.push({
      name: `Azure OpenAI ${env['AZURE_OPENAI_DEPLOYMENT_NAME'] ?? ''}`,
      model: azureOpenAI(),
      withWrongKey: azureOpenAI(undefined, wrong),
    });
  if (env['OLLAMA_HOST'] !== undefined) {
    const id = env['SMOKE_MODEL_OLLAMA'] ?? 'qwen3:4b';
    const host = env['OLLAMA_HOST'].replace(/^(?!https?:)/, 'http://');
    found.push({
      name: `Ollama ${id} (OpenAI-compatible)`,
      model: openai(id, { baseURL: `${host}/v1`, apiKey: 'ollama' }),
    });
  }
  return found;
}

type Check = (live: LiveModel) => Promise<string>;

/** Each says what was seen, or throws. */
export const checks: Readonly<Record<string, Check>> = {
  async streams({ model }) {
    const agent = new Agent({ name: 'poet', instructions: 'Answer in one short sentence.', model });
    let deltas = 0;
    const stream = run(agent, 'Say something kind about the sea.', { stream: true });
    for await (const event of stream) if (event.type === 'text-delta') deltas += 1;
    const result = await stream.result;
    expect(result.status === 'completed', `the run ended ${result.status}`);
    expect(deltas > 1, `the text came in ${deltas} piece`);
    expect(result.usage.totalTokens > 0, 'no tokens were counted');
    return `${deltas} deltas, ${result.usage.totalTokens} tokens`;
  },

  async 'tool loop'({ model }) {
    const stock = tool({
      name: 'get_stock',
      description: 'How many pieces of an article are in stock',
      parameters: z.object({ article: z.string() }),
      effect: 'read',
      execute: ({ article }) => ({ article, pieces: article.includes('lamp') ? 4711 : 815 }),
    });
    const agent = new Agent({
      name: 'clerk',
      instructions: 'Look up the stock with the tool, for each article. Name the numbers.',
      model,
      tools: [stock],
    });
    const result = await run(agent, 'How many of "desk lamp" and of "chair" do we have?');
    expect(result.toolResults.length >= 2, `${result.toolResults.length} tools ran`);
    const digits = result.response.replaceAll(/[.,\s]/g, '');
    expect(digits.includes('4711') && digits.includes('815'), `it said: ${result.response}`);
    return `${result.toolResults.length} tool calls, ${result.usage.requests} requests`;
  },

  async 'structured output'({ model }) {
    const agent = new Agent({
      name: 'reader',
      instructions: 'Extract the city and the year.',
      model,
      outputType: z.object({ city: z.string(), year: z.number() }),
    });
    const { city, year } = (await run(agent, 'The tower in Paris was finished in 1889.')).orThrow();
    expect(/paris/i.test(city) && year === 1889, `it said: ${city}, ${year}`);
    return `${city}, ${year}`;
  },

  async 'wrong key'({ withWrongKey }) {
    if (withWrongKey === undefined) return 'asks for none';
    const agent = new Agent({ name: 'stranger', instructions: 'Be kind.', model: withWrongKey });
    try {
      const result = await run(agent, 'Hello');
      expect(result.status === 'failed', `the run ended ${result.status}`);
      return `refused: ${result.error?.code}`;
    } catch (error) {
      if (AgentError.isInstance(error)) return `refused: ${error.code}`;
      throw error;
    }
  },
};

function expect(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}

/** Runs all checks on one model; true when all held. Prints one row each. */
export async function smoke(live: LiveModel): Promise<boolean> {
  let good = true;
  for (const [name, check] of Object.entries(checks)) {
    const started = Date.now();
    const row = (result: string, seen: string): string =>
      `| ${live.name} | ${name} | ${result} | ${seen} | ${((Date.now() - started) / 1000).toFixed(1)} s |`;
    try {
      console.log(row('ok', await check(live)));
    } catch (error) {
      good = false;
      console.log(row('FAILED', error instanceof Error ? error.message : String(error)));
    }
  }
  return good;
}

async function main(): Promise<void> {
  const found = liveModels(process.env);
  if (found.length === 0) {
    console.error(
      'No model to try. Set OPENAI_API_KEY, or AZURE_OPENAI_ENDPOINT with AZURE_OPENAI_API_KEY and AZURE_OPENAI_DEPLOYMENT_NAME, or OLLAMA_HOST, and run it again.',
    );
    process.exitCode = 1;
    return;
  }
  console.log(`Real models, ${new Date().toISOString().slice(0, 10)}, Node ${process.version}\n`);
  console.log('| model | check | result | seen | time |\n| --- | --- | --- | --- | --- |');
  let good = true;
  for (const live of found) good = (await smoke(live)) && good;
  if (!good) process.exitCode = 1;
}

if (import.meta.main) await main();
