import type { Conversation } from 'demo-model';
import { cities } from './travel/cities.ts';

// What the offline demo reads out of requests; a model needs none of it.

export interface Trip {
  readonly from: string;
  readonly to: string;
  /** `2027-07-09`. */
  readonly start: string;
  readonly end: string;
  readonly travellers: number;
  readonly budgetEur: number | undefined;
}

/** What several messages say of one trip: the later one counts. `undefined` while something is missing. */
export function tripIn(messages: readonly string[]): Trip | undefined {
  const last = <T>(read: (message: string) => T | undefined): T | undefined =>
    messages.map(read).findLast((value) => value !== undefined);
  const from = last((message) => cityAfter('from', message));
  const to = last((message) => cityAfter('to', message) ?? cityAfter('in', message));
  const days = last(daysIn);
  if (from === undefined || to === undefined || days === undefined) return undefined;
  const travellers = last(travellersIn) ?? 1;
  return { from, to, ...days, travellers, budgetEur: last(budgetIn) };
}

const names = cities.map((city) => city.name).join('|');

function cityAfter(word: string, message: string): string | undefined {
  const found = new RegExp(`\\b${word} (${names})\\b`, 'i').exec(message)?.[1]?.toLowerCase();
  return cities.find((city) => city.name.toLowerCase() === found)?.name;
}

const months =
  'January February March April May June July August September October November December';

/** `9 to 12 July 2027`, or `2027-07-09 to 2027-07-12`. */
function daysIn(message: string): { readonly start: string; readonly end: string } | undefined {
  const [, start, end] = /(\d{4}-\d\d-\d\d) to (\d{4}-\d\d-\d\d)/.exec(message) ?? [];
  if (start !== undefined && end !== undefined) return { start, end };
  const [, first, second, name = '', year] =
    /(\d{1,2}) (?:to|until|-) (\d{1,2}) ([A-Z][a-z]+) (\d{4})/.exec(message) ?? [];
  const month = months.split(' ').indexOf(name) + 1;
  if (first === undefined || second === undefined || month === 0) return undefined;
  const date = (day: string): string =>
    `${year}-${String(month).padStart(2, '0')}-${day.padStart(2, '0')}`;
  return { start: date(first), end: date(second) };
}

const numbers = ['zero', 'one', 'two', 'three', 'four', 'five', 'six'];

function travellersIn(message: string): number | undefined {
  const [, count] = /(\w+) (?:people|persons?|travellers?|of us)\b/i.exec(message) ?? [];
  if (count === undefined) return undefined;
  const number = Number(count);
  if (Number.isInteger(number)) return number;
  const word = numbers.indexOf(count.toLowerCase());
  return word < 1 ? undefined : word;
}

function budgetIn(message: string): number | undefined {
  const amount = /([\d,]+) (?:EUR|euros?)\b/i.exec(message)?.[1];
  return amount === undefined ? undefined : Number(amount.replaceAll(',', ''));
}

/** What the user and other agents asked, without what other agents answered. */
export function requestsIn({ said }: Conversation): readonly string[] {
  return said.flatMap(({ role, text }) =>
    role === 'user' && !answerOfAnother.test(text) ? [text] : [],
  );
}

const answerOfAnother = /^\w+ answered:\n/;

/** The line of the other agents' answers that begins so, such as `Flights:`. */
export function lineOf({ said }: Conversation, start: string): string | undefined {
  return said
    .filter(({ role, text }) => role === 'user' && answerOfAnother.test(text))
    .flatMap(({ text }) => text.split('\n'))
    .findLast((line) => line.startsWith(start));
}

/** `1,234 EUR` at the end of a line. */
export function eurosAtEnd(line: string | undefined): number | undefined {
  const amount = /([\d,]+) EUR\.?$/.exec(line ?? '')?.[1];
  return amount === undefined ? undefined : Number(amount.replaceAll(',', ''));
}

export function euros(amount: number): string {
  return `${amount.toLocaleString('en')} EUR`;
}
