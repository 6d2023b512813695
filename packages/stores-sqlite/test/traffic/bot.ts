import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, jsonSchema, textOf, tool, type Effect, type Json } from '@agent-functions/core';
import { scriptedModel } from '@agent-functions/core/testing';
import { outsideAt } from '../kill/scenario.ts';

/** What the bot answers to the question that is the conversation's so-manieth. */
export function answerTo(question: string, place: number): string {
  return `${question} is number ${place} of this conversation.`;
}

/** Does what it is asked with an idempotent and a once tool, then says how many questions it knows of. */
export function bot({
  effects,
  random,
}: {
  readonly effects: string;
  readonly random: () => number;
}): Agent {
  const outside = outsideAt(effects);
  const effectTool = (name: string, effect: Effect) =>
    tool({
      name,
      description: `Does ${name}`,
      parameters: jsonSchema<Json>({ type: 'object' }, { validate: () => ({}) }),
      effect,
      execute: async (_input, { idempotencyKey }) => {
        await outside.effect(idempotencyKey, name);
        await sleep(random() * 50);
        return `${name} done`;
      },
    });
  const model = scriptedModel(async ({ messages }) => {
    await sleep(random() * 150);
    const asked = messages.filter(({ role }) => role === 'user');
    if (messages.at(-1)?.role === 'user') {
      return {
        text: 'I will.',
        calls: [
          ['put', {}],
          ['pay', {}],
        ],
      };
    }
    const [last] = asked.slice(-1);
    return answerTo(last === undefined ? 'Nothing' : textOf(last), asked.length);
  });
  const tools = [effectTool('put', 'idempotent'), effectTool('pay', 'once')];
  return new Agent({ name: 'bot', model, tools });
}
