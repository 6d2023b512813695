import { models, Runner, type PriceTable } from '@agent-functions/core';
import { anthropic } from '@agent-functions/providers-anthropic';
import { azureAi, azureOpenai } from '@agent-functions/providers-azure';
import { google, vertex } from '@agent-functions/providers-google';
import { ollama } from '@agent-functions/providers-ollama';
import { openai } from '@agent-functions/providers-openai';
import { weatherAgent } from './weather-agent.ts';

/** One model's answer to the question; where it could not be asked, `answer` says why. */
export interface Row {
  readonly model: string;
  readonly answer: string;
  readonly toolCalls: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly timeMs: number;
  /** In US dollars; only with a price table that has the model. */
  readonly costUsd: number | undefined;
}

/** Asks each model the same question, one after the other: the agent is one, its model is a string. */
export async function switchProvider(
  names: readonly string[],
  question: string,
  prices?: PriceTable,
): Promise<readonly Row[]> {
  const registry = models(
    { openai, azureOpenai, azureAi, anthropic, google, vertex, ollama },
    { prices },
  );
  const rows: Row[] = [];
  for (const model of names) {
    const started = performance.now();
    const result = await new Runner(weatherAgent(model), { models: registry }).run(question);
    const { inputTokens, outputTokens, costUsd } = result.usage;
    rows.push({
      model,
      answer: result.status === 'completed' ? result.response : (result.error?.message ?? ''),
      toolCalls: result.toolResults.length,
      inputTokens,
      outputTokens,
      timeMs: Math.round(performance.now() - started),
      costUsd,
    });
  }
  return rows;
}
