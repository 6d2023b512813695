import { call, readObject, type Script } from 'demo-model';
import { z } from 'zod';

// What the model of the offline demo says; a real model needs none of it.

const order = z.object({ order: z.number(), article: z.string(), euros: z.number() });
const refund = z.object({ receipt: z.string(), order: z.number(), euros: z.number() });

export const refundScript: Script = ({ question, results }) => {
  const [, number] = /\border (\d+)/i.exec(question) ?? [];
  if (number === undefined) return { text: unknownQuestion };
  const [looked, paid] = results;
  if (looked === undefined) return call('find_order', { order: Number(number) });
  const found = order.safeParse(readObject(looked.output)).data;
  if (found === undefined) return { text: looked.output };
  if (paid === undefined) {
    return call('refund_order', { order: found.order, euros: found.euros });
  }
  const { receipt, euros } = refund.safeParse(readObject(lastLine(paid.output))).data ?? {};
  return receipt === undefined
    ? { text: `There is no refund for order ${number}: ${paid.output}` }
    : { text: `I refunded ${euros} € for ${found.article} (receipt ${receipt}).` };
};

/** Where a person edited the input, a line above the result says so. */
function lastLine(text: string): string {
  return text.slice(text.lastIndexOf('{"receipt"'));
}

const unknownQuestion =
  'This is the offline demo: no model is connected, so only questions such as "Please refund order 1042." are answered. To connect a model, set OPENAI_API_KEY (or AZURE_OPENAI_ENDPOINT, AZURE_OPENAI_API_KEY and AZURE_OPENAI_DEPLOYMENT_NAME), or start Ollama, and start again.';
