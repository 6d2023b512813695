import type { Part } from '@a2a-js/sdk';
import {
  isJsonArray,
  isJsonObject,
  publicInterruption,
  type Decision,
  type Interruption,
  type Json,
  type JsonObject,
} from '@agent-functions/core';
import { dataIn, dataPart, textIn, textPart } from './parts.ts';
import { Refused } from './refused.ts';

// A task that waits says what it asks in a data part, `{ "interruptions": [ … ] }` (as the HTTP API words them), and is
// answered by one, `{ "decisions": [ … ] }`, or by a text where one question is open.

/** What a status message says of open interruptions: a sentence each for people, one data part for agents. */
export function askedParts(open: readonly Interruption[]): Part[] {
  return [
    ...open.map((each) => textPart(sentence(each))),
    dataPart({ interruptions: open.map(publicInterruption) }),
  ];
}

function sentence({ kind, message, toolName, input }: Interruption): string {
  switch (kind) {
    case 'approval':
      return `${message ?? `May ${toolName ?? 'this'} be called?`} Input: ${JSON.stringify(input ?? null)}. Answer approve or reject.`;
    case 'ambiguous':
      return (
        message ??
        `It is not known whether ${toolName ?? 'a call'} was done. Answer with a decision: done, not-done or failed.`
      );
    case 'input':
    case 'callback':
      return message ?? 'An answer is needed.';
    default:
      return kind satisfies never;
  }
}

const yes = /^(approve|approved|yes|ok)[.!]?$/i;
const no = /^(reject|rejected|no)[.!]?$/i;

/**
 * What a message answers: the decisions of its data parts; a data part that is an answer by itself (`{ "approved": true }`,
 * `{ "answer": … }`, `{ "outcome": … }`) or any other text or data where exactly one interruption is open.
 *
 * @throws Refused `RequestMalformed` for what is no answer to what is asked; it stays open.
 */
export function decisionsOf(
  parts: readonly Part[],
  open: readonly Interruption[],
): readonly Decision[] {
  const data = dataIn(parts);
  const listed = data.flatMap((value) => {
    const list = isJsonObject(value) ? value['decisions'] : undefined;
    return list === undefined ? [] : [list];
  });
  if (listed.length > 0) return listed.flatMap((list) => decisionList(list));
  const [only] = open;
  if (only === undefined || open.length > 1) {
    throw new Refused(
      'RequestMalformed',
      `The task waits for ${open.length} answers. Send a data part { "decisions": [{ "interruption_id": …, … }] } with one for each: ${open.map(({ id }) => id).join(', ')}.`,
    );
  }
  const [first] = data;
  if (first !== undefined) {
    if (isJsonObject(first)) {
      const own = decision(only.id, first);
      if (own !== undefined) return [own];
    }
    return [answer(only, first)];
  }
  return [said(only, textIn(parts).trim())];
}

function said(asked: Interruption, text: string): Decision {
  const interruptionId = asked.id;
  if (asked.kind === 'input' || asked.kind === 'callback') return { interruptionId, answer: text };
  if (asked.kind === 'approval' && yes.test(text)) return { interruptionId, approved: true };
  if (asked.kind === 'approval' && no.test(text)) return { interruptionId, approved: false };
  throw new Refused(
    'RequestMalformed',
    asked.kind === 'approval'
      ? 'The task waits for an approval. Answer with the text approve or reject, or with a data part { "approved": true } or { "approved": false, "message": … }.'
      : 'The task waits for what became of a call. Answer with a data part { "outcome": "done", "output": … }, { "outcome": "not-done" } or { "outcome": "failed" }.',
  );
}

function answer(asked: Interruption, value: Json): Decision {
  if (asked.kind === 'input' || asked.kind === 'callback') {
    return { interruptionId: asked.id, answer: value };
  }
  return said(asked, '');
}

function decisionList(list: Json): readonly Decision[] {
  if (!isJsonArray(list)) throw malformed('decisions is no list.');
  return list.map((each, index) => {
    const id = isJsonObject(each) ? each['interruption_id'] : undefined;
    const made = isJsonObject(each) && typeof id === 'string' ? decision(id, each) : undefined;
    if (made === undefined) {
      throw malformed(
        `decisions[${index}] is none. Write { "interruption_id": …, "approved": true | false }, { …, "answer": … } or { …, "outcome": "done" | "not-done" | "failed" }.`,
      );
    }
    return made;
  });
}

/** One answer in the words of the HTTP API. */
function decision(interruptionId: string, value: JsonObject): Decision | undefined {
  const { approved, outcome, input, message } = value;
  const said = typeof message === 'string' ? { message } : {};
  if (approved === true) {
    return { interruptionId, approved, ...(input === undefined ? {} : { input }) };
  }
  if (approved === false) return { interruptionId, approved, ...said };
  if (outcome === 'done') return { interruptionId, outcome, output: value['output'] ?? null };
  if (outcome === 'not-done') return { interruptionId, outcome };
  if (outcome === 'failed') return { interruptionId, outcome, ...said };
  const answered = value['answer'];
  return answered === undefined ? undefined : { interruptionId, answer: answered };
}

function malformed(message: string): Refused {
  return new Refused('RequestMalformed', message);
}
