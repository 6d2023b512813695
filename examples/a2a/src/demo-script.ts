import { call, readObject, type Conversation, type Script } from 'demo-model';
import { z } from 'zod';
import { conversation } from './conversation.ts';

// What the two models of the offline demo say.

export const travelScript: Script = ({ question }) => {
  if (/evening in Copenhagen/.test(question)) {
    return { text: 'Tivoli is open until 23:00, and there is dinner at the Nyhavn.' };
  }
  return amountIn(question) === undefined
    ? { text: unknownQuestion }
    : call('handoff_to_currency_agent', { message: question, reason: 'money' });
};

const converted = z.object({
  amount: z.number(),
  from: z.string(),
  to: z.string(),
  result: z.number(),
});

export const currencyScript: Script = (seen) => {
  const [result] = seen.results;
  if (result !== undefined) {
    const { success, data } = converted.safeParse(readObject(result.output));
    return {
      text: success
        ? `${data.amount} ${data.from} are ${data.result.toFixed(2)} ${data.to}.`
        : result.output,
    };
  }
  const to = /\b(?:in|into) ([A-Z]{3})\b/.exec(seen.question)?.[1];
  const amount = amountIn(seen.question) ?? (to === undefined ? undefined : amountBefore(seen));
  return amount === undefined
    ? { text: unknownQuestion }
    : call('convert_currency', { ...amount, ...(to === undefined ? {} : { to }) });
};

interface Amount {
  readonly amount: number;
  readonly from: string;
}

function amountIn(text: string): Amount | undefined {
  const [, amount, from] = /(\d+(?:\.\d+)?) ([A-Z]{3})\b/.exec(text) ?? [];
  return from === undefined ? undefined : { amount: Number(amount), from };
}

/** What was converted last. */
function amountBefore({ earlier }: Conversation): Amount | undefined {
  const { amount, from } = earlier.at(-1)?.input ?? {};
  return typeof amount === 'number' && typeof from === 'string' ? { amount, from } : undefined;
}

const unknownQuestion = [
  'This is the offline demo: no model is connected, so only such questions are answered:',
  ...conversation.map(({ message }) => `"${message}"`),
  'To connect a model, set OPENAI_API_KEY (or AZURE_OPENAI_ENDPOINT, AZURE_OPENAI_API_KEY and AZURE_OPENAI_DEPLOYMENT_NAME), or start Ollama, and start again.',
].join(' ');
