import { call, readObject, type Conversation, type Reply, type Script } from 'demo-model';
import { z } from 'zod';
import { conversation } from './conversation.ts';

// What the models of the offline demo say: a small set of rules that read the request, as a model would.

/** What a topic is called, and how requests about it sound. */
const topics = [
  {
    name: /does not work|how to do/i,
    heard: /\berror\b|crash|does ?n[o']t work|\bbroken\b|how (?:do|can) i\b/i,
  },
  { name: /invoice|charge|refund/i, heard: /invoice|charge|payment|paid|refund|\bbill/i },
  { name: /plans|prices|upgrade/i, heard: /\bplans?\b|price|upgrade|\bbuy\b/i },
];

export const frontDeskScript: Script = (seen) =>
  seen.schema === undefined ? { text: frontDesk(seen) } : { json: { holds: whichHold(seen) } };

/** The router's question: the numbers of the conditions that hold. */
function whichHold({ question }: Conversation): readonly number[] {
  const [before = '', conditions = ''] = question.split('\n\nConditions:\n');
  const [, request = ''] = /Request: ([\s\S]*)$/.exec(before) ?? [];
  return conditions.split('\n').flatMap((line) => {
    const [, number, sentence = ''] = /^(\d+)\. (.*)$/.exec(line) ?? [];
    const topic = topics.find(({ name }) => name.test(sentence));
    return number !== undefined && topic?.heard.test(request) === true ? [Number(number)] : [];
  });
}

function frontDesk({ question, instructions }: Conversation): string {
  if (/\bopen\b|hours|when/i.test(question)) {
    const [hours = unknownQuestion] = /Support is open[^.]*\./.exec(instructions) ?? [];
    return `Hello! ${hours}`;
  }
  if (/thank/i.test(question)) return 'You are welcome.';
  return unknownQuestion;
}

const errorAnswer = z.object({
  code: z.string(),
  cause: z.string(),
  fixedIn: z.string().optional(),
  installed: z.string().nullable(),
});

export const technicalScript: Script = ({ question, results }) => {
  const [looked] = results;
  if (looked === undefined) {
    const [code] = /\bE-\d+\b/i.exec(question) ?? [];
    return code === undefined
      ? { text: 'Which error code does the app show? It begins with E-.' }
      : call('look_up_error', { code });
  }
  const known = read(errorAnswer, looked.output);
  if (known === undefined) return { text: looked.output };
  const { code, cause, fixedIn, installed } = known;
  const advice =
    fixedIn === undefined
      ? ''
      : ` It is mended in version ${fixedIn}; you have ${installed ?? 'an unknown one'}. Please update.`;
  return { text: `${code}: ${cause}.${advice}` };
};

const invoicesAnswer = z.object({
  invoices: z.array(
    z.object({
      month: z.string(),
      items: z.array(z.object({ what: z.string(), eur: z.number() })),
    }),
  ),
});
type Invoice = z.infer<typeof invoicesAnswer>['invoices'][number];

export const billingScript: Script = ({ results }) => {
  const [listed] = results;
  if (listed === undefined) return call('list_invoices', {});
  const { invoices } = read(invoicesAnswer, listed.output) ?? { invoices: [] };
  const [before, last] = invoices.slice(-2);
  if (before === undefined) return { text: 'There is no invoice yet.' };
  return { text: last === undefined ? sums(before) : compare(before, last) };
};

function compare(before: Invoice, last: Invoice): string {
  const old = new Set(before.items.map(({ what }) => what));
  const added = last.items.filter(({ what }) => !old.has(what));
  return `${sums(last)} ${sums(before)} New is: ${added.map(({ what, eur }) => `${what} (${inEur(eur)})`).join(', ')}.`;
}

function sums({ month, items }: Invoice): string {
  return `The invoice of ${month} is ${inEur(items.reduce((sum, { eur }) => sum + eur, 0))}.`;
}

function inEur(eur: number): string {
  return `${eur.toFixed(2)} EUR`;
}

const quoteAnswer = z.object({
  plan: z.string(),
  people: z.number(),
  discountPercent: z.number(),
  eurPerMonth: z.number(),
});

export const salesScript: Script = ({ question, results }) => {
  const [quoted] = results;
  if (quoted === undefined) {
    const [, plan] = /\b(basic|team|business)\b/i.exec(question) ?? [];
    const [, people] = /\b(\d+) (?:people|users|seats)\b/i.exec(question) ?? [];
    return plan === undefined || people === undefined
      ? { text: 'Which plan (basic, team or business), and for how many people?' }
      : call('quote_plan', { plan: plan.toLowerCase(), people: Number(people) });
  }
  const quote = read(quoteAnswer, quoted.output);
  if (quote === undefined) return { text: quoted.output };
  const { plan, people, discountPercent, eurPerMonth } = quote;
  const discount = discountPercent === 0 ? '' : `, with your ${discountPercent} % off`;
  return {
    text: `The ${plan} plan for ${people} people is ${inEur(eurPerMonth)} a month${discount}.`,
  };
};

const caseAnswer = z.object({ id: z.string(), answerWithinHours: z.number() });

export const escalationScript: Script = ({ instructions, said, results }): Reply => {
  const [, name = 'The customer'] = /The customer is (\S+)/.exec(instructions) ?? [];
  const [opened] = results;
  if (opened === undefined) {
    const asked = said.filter(({ role }) => role === 'user').map(({ text }) => `"${text}"`);
    const earlier = asked.length > 1 ? ` Before: ${asked.slice(0, -1).join(' ')}` : '';
    return call('open_case', { summary: `${name} says ${asked.at(-1) ?? 'nothing'}.${earlier}` });
  }
  const known = read(caseAnswer, opened.output);
  if (known === undefined) return { text: opened.output };
  const { id, answerWithinHours: hours } = known;
  return {
    text: `${name}, a person has your case ${id} and answers within ${hours === 1 ? 'an hour' : `${hours} hours`}.`,
  };
};

function read<T>(schema: z.ZodType<T>, output: string): T | undefined {
  return schema.safeParse(readObject(output)).data;
}

const unknownQuestion = [
  'This is the offline demo: no model is connected, so only such questions are answered:',
  ...conversation.map(({ message }) => `"${message}"`),
  'To connect a model, set OPENAI_API_KEY (or AZURE_OPENAI_ENDPOINT, AZURE_OPENAI_API_KEY and AZURE_OPENAI_DEPLOYMENT_NAME), or start Ollama, and start again.',
].join(' ');
