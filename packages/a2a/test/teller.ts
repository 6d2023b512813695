import { outputText, textOf, type Model, type Part } from '@agent-functions/core';
import { scriptedModel } from '@agent-functions/core/testing';

/** A model without a memory: it calls `toolName` with what it is asked, then says what came of it. */
export function teller(toolName?: string): Model {
  return scriptedModel(({ messages }) => {
    const last = messages.at(-1);
    if (last === undefined) throw new Error('Nobody asks.');
    if (last.role === 'tool') return `It says: ${last.parts.map(saidBy).join()}`;
    const asked = textOf(last);
    return toolName === undefined ? `Heard: ${asked}` : { calls: [[toolName, { message: asked }]] };
  });
}

/** What a result says. */
export function saidBy(part: Part): string {
  return part.type === 'tool-result' ? outputText(part.output) : '';
}
