/**
 * Ten minutes with real models, for whoever has a key: every model whose key is in the environment streams text,
 * runs a tool loop, answers with structured output and reports a wrong key. Costs well under a cent each. What has no key
 * is listed as skipped, with the variables that it needs.
 *
 * SMOKE_MODEL_OPENAI, SMOKE_MODEL_ANTHROPIC, SMOKE_MODEL_GOOGLE, SMOKE_MODEL_OLLAMA choose other models.
 */
import { Agent, AgentError, run, tool } from '@agent-functions/core';
import { z } from 'zod';
import { liveModels, type LiveModel } from './lib/live-models.ts';

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
  const { found, skipped } = liveModels(process.env);
  console.log(`Real models, ${new Date().toISOString().slice(0, 10)}, Node ${process.version}\n`);
  console.log('| model | check | result | seen | time |\n| --- | --- | --- | --- | --- |');
  for (const { name, needs } of skipped) console.log(`| ${name} | | skipped | set ${needs} | |`);
  let good = true;
  for (const live of found) good = (await smoke(live)) && good;
  if (found.length === 0) console.log('\nNo model was asked.');
  if (!good) process.exitCode = 1;
}

if (import.meta.main) await main();
