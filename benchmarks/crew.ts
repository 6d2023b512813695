import { z } from 'zod';
import { answerText, seen } from './workloads.ts';

// What several agents do together, and what the doubles of their models say. One double speaks for all agents of a
// crew: it knows them by their instructions, so a library that hands over without them is found out.

/** W4: the front desk hands over to billing, billing hands back, the front desk answers. */
export interface Handoffs {
  readonly kind: 'handoffs';
  readonly delayMs: 0;
}

/** W7: a coordinator asks three specialists in one turn, and makes one answer of theirs. */
export interface Coordinator {
  readonly kind: 'coordinator';
  /** How long each model thinks. */
  readonly delayMs: number;
}

export type Crew = Handoffs | Coordinator;

/** A library (or the loop by hand) with several agents. */
export interface CrewAdapter {
  /** Prepares a crew: what an app does once. The function asks it once and resolves with the answer. */
  prepare(crew: Crew): () => Promise<string>;
}

export const handoffs: Crew = { kind: 'handoffs', delayMs: 0 };
export const coordinator = (delayMs: number): Crew => ({ kind: 'coordinator', delayMs });

/** What a model says in one turn: an answer, or whom it asks and what. */
export type Says =
  | { readonly type: 'answer'; readonly text: string }
  | { readonly type: 'ask'; readonly asks: readonly Ask[] };

export interface Ask {
  readonly toolName: string;
  readonly message: string;
}

export interface Member {
  readonly name: string;
  readonly instructions: string;
  readonly description: string;
  /** What its model says to a request, and what it says to everything after. */
  readonly first: Says;
  readonly later: Says;
}

export const crewQuestion = 'Plan a weekend in Seattle for me and tell me what it costs.';
export const toolOf = (name: string): string => `handoff_to_${name}`;

/** What the one who is asked must send, where a library leaves that to the app. */
export const parameters = () => z.object({ message: z.string() });

const ask = (...asks: readonly (readonly [to: string, message: string])[]): Says => ({
  type: 'ask',
  asks: asks.map(([to, message]) => ({ toolName: toolOf(to), message })),
});
const answer = (text: string): Says => ({ type: 'answer', text });

const toBilling = 'The guest wants to know what a weekend costs.';
const toFrontDesk = 'The weekend costs 640 dollars: tell the guest.';

export const frontDesk: Member = {
  name: 'front_desk',
  instructions: 'You are the front desk. You answer guests.',
  description: 'Answers guests',
  first: ask(['billing', toBilling]),
  later: answer(answerText),
};

export const billing: Member = {
  name: 'billing',
  instructions: 'You are billing. You know what everything costs.',
  description: 'Knows what everything costs',
  first: ask(['front_desk', toFrontDesk]),
  later: ask(['front_desk', toFrontDesk]),
};

const fields = ['weather', 'hotels', 'trains'] as const;

export const specialists: readonly Member[] = fields.map((field) => ({
  name: field,
  instructions: `You are the specialist for ${field}.`,
  description: `Knows all about ${field}`,
  first: answer(`What is known of ${field}.`),
  later: answer(`What is known of ${field}.`),
}));

export const chief: Member = {
  name: 'coordinator',
  instructions: 'You are the coordinator. You ask specialists and make one answer of theirs.',
  description: 'Plans weekends',
  first: ask(
    ['weather', 'What is the weather in Seattle?'],
    ['hotels', 'Which hotel is free in Seattle?'],
    ['trains', 'Which train goes to Seattle?'],
  ),
  later: answer(answerText),
};

const members = [frontDesk, billing, chief, ...specialists];
const byInstructions = new Map(members.map((member) => [member.instructions, member]));

/** What the double of a model says to a request. @throws Error when the instructions are no agent's. */
export function saysTo(
  instructions: string | undefined,
  messages: readonly unknown[],
  tools: number,
): Says {
  const member = byInstructions.get(instructions ?? '');
  if (member === undefined) throw new Error(`Nobody has the instructions ${String(instructions)}.`);
  seen.request(messages.length, tools);
  seen.lastMessages = messages;
  return messages.length === 1 ? member.first : member.later;
}

/** Model calls of one run. */
export function modelCallsOf({ kind }: Crew): number {
  return kind === 'handoffs' ? 3 : 2 + specialists.length;
}

/** @throws Error when the crew did not do its work as it should. */
export async function verifyCrew(crew: Crew, once: () => Promise<string>): Promise<void> {
  // What the model that wrote the answer must have read.
  const texts =
    crew.kind === 'handoffs'
      ? [crewQuestion, toBilling, toFrontDesk]
      : [crewQuestion, ...fields.map((field) => `What is known of ${field}.`)];
  const offered = crew.kind === 'handoffs' ? 1 : specialists.length;
  for (let pass = 0; pass < 2; pass += 1) {
    seen.reset();
    const given = await once();
    const read = JSON.stringify(seen.lastMessages);
    const checks = {
      answer: given === answerText,
      modelCalls: seen.modelCalls === modelCallsOf(crew),
      tools: seen.tools === offered,
      ...Object.fromEntries(texts.map((text) => [`"${text}"`, read.includes(text)])),
    };
    for (const [what, holds] of Object.entries(checks)) {
      if (!holds) {
        throw new Error(
          `${crew.kind}: ${what} is wrong. Answer ${JSON.stringify(given.slice(0, 200))}, ${seen.modelCalls} model calls, the last read ${read}.`,
        );
      }
    }
  }
}
