import { type Script } from 'demo-model';
import { unknownRequest } from './unknown-request.ts';

// What the two models of the product writer say in the offline demo: rules that read the request, as a model would.

interface Asked {
  readonly product: string;
  readonly maxWords: number;
  readonly facts: readonly { readonly name: string; readonly value: string }[];
}

function readRequest(text: string): Asked | undefined {
  const [, product, maxWords] = /Describe the (.+?) in at most (\d+) words/i.exec(text) ?? [];
  if (product === undefined) return undefined;
  const facts = [...text.matchAll(/^- (\w+): (.+)$/gm)].map(([, name = '', value = '']) => ({
    name,
    value,
  }));
  return { product, maxWords: Number(maxWords), facts };
}

/** Boasts first, unless told not to; then does what the feedback says, and cuts what is too long. Finds shorter words when that was dropped. */
export const productScript: Script = ({ question, said }) => {
  const asked = said.map(({ text }) => readRequest(text)).findLast((each) => each !== undefined);
  if (asked === undefined) return { text: unknownRequest };
  const { product, maxWords, facts } = asked;
  const sentences = facts.map(({ name, value }) => `Its ${name} is ${value}.`);
  if (/^Your rewrite .* is dropped/.test(question)) {
    const short = facts.map(({ name, value }) => `${name} ${value}`);
    return { text: `The ${product}: ${short.join(', ')}.` };
  }
  if (/It has \d+ words/.test(question)) {
    const kept = [`The ${product}.`];
    for (const sentence of sentences) {
      if (words([...kept, sentence].join(' ')) <= maxWords) kept.push(sentence);
    }
    return { text: kept.join(' ') };
  }
  if (question.startsWith('Improve your answer') || /do not praise/i.test(question)) {
    return { text: [`The ${product}.`, ...sentences].join(' ') };
  }
  return {
    text: [`The ${product} is the best you will ever own!`, ...sentences.slice(0, 1)].join(' '),
  };
};

const boast = /\b(?:best|perfect|unique|revolutionary|unbeatable)\b/gi;

/** The judge: does what its prompt says, for the criteria that the schema asks for. */
export const productJudgeScript: Script = ({ question, schema }) => {
  const [, request = '', answer = ''] =
    /^Request:\n([\s\S]*)\n\nAnswer:\n([\s\S]*)\n\nScore each/.exec(question) ?? [];
  const { facts, maxWords } = readRequest(request) ?? { facts: [], maxWords: Infinity };
  const missing = facts.filter(({ value }) => !answer.includes(value));
  const boasts = answer.match(boast) ?? [];
  const length = words(answer);
  const scores: Readonly<Record<string, number>> = {
    facts: facts.length === 0 ? 1 : 1 - missing.length / facts.length,
    truth: 0.5 ** boasts.length,
    brevity: Math.min(1, maxWords / length),
  };
  const feedback = [
    ...missing.map(({ name, value }) => `Name the ${name} (${value}).`),
    ...boasts.map((each) => `No fact says "${each}".`),
    ...(length > maxWords ? [`It has ${length} words, ${maxWords} are allowed.`] : []),
  ].join(' ');
  return {
    json: {
      scores: Object.fromEntries(criteriaOf(schema).map((one) => [one, scores[one] ?? 1])),
      feedback,
    },
  };
};

function criteriaOf(schema: Readonly<Record<string, unknown>> | undefined): readonly string[] {
  const text = JSON.stringify(schema ?? {});
  return ['facts', 'truth', 'brevity'].filter((one) => text.includes(`"${one}"`));
}

function words(text: string): number {
  return text.split(/\s+/).filter((word) => word !== '').length;
}
