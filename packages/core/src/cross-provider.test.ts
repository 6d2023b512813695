import { expect, test } from 'vitest';
import { Agent } from './agent.ts';
import { ModelError } from './errors.ts';
import { fallback } from './fallback.ts';
import { memoryStore } from './memory-store.ts';
import type { ModelRequest } from './model.ts';
import { Runner } from './runner.ts';
import { jsonSchema } from './schema.ts';
import { scriptedModel, type ScriptedTurn } from './testing/index.ts';
import { content, tool } from './tool.ts';

// A conversation that moves from one provider to another keeps what was said, shown and found out, and leaves behind what
// is private to a vendor.

const radar = tool({
  name: 'radar',
  description: 'The radar',
  parameters: jsonSchema({ type: 'object', properties: {} }, { validate: (value) => value }),
  effect: 'read',
  execute: () =>
    content([
      { type: 'text', text: 'Rain over Oslo.' },
      { type: 'file', mediaType: 'image/png', data: 'UkFEQVI=' },
    ]),
});

const looks: ScriptedTurn = {
  parts: [
    { type: 'reasoning', text: 'Private thoughts.', providerData: { one: { signature: 'sig-1' } } },
    {
      type: 'text',
      text: 'Let me look.',
      providerData: { one: { phase: 'comment-1' } },
    },
  ],
  calls: [{ toolName: 'radar', input: {}, providerData: { one: { id: 'call-1' } } }],
};
const question = {
  role: 'user',
  parts: [
    { type: 'text', text: 'What is this?' },
    { type: 'file', mediaType: 'image/png', data: 'SU1BR0U=' },
  ],
} as const;
const kept = ['What is this?', 'SU1BR0U=', 'Let me look.', 'Rain over Oslo.', 'UkFEQVI='];
const left = ['Private thoughts.', 'sig-1', 'comment-1', 'call-1'];

function sent(request: ModelRequest | undefined): string {
  return JSON.stringify(request?.messages ?? []);
}

test('a handoff takes text, images and results of tools along, and nothing of the vendor’s', async () => {
  const one = scriptedModel(
    [looks, { text: 'Over to b.', calls: [['handoff_to_b', { message: 'Go on.' }]] }],
    { provider: 'one' },
  );
  const two = scriptedModel(['Rain.'], { provider: 'two' });
  const b = new Agent({ name: 'b', model: two });
  const a = new Agent({ name: 'a', model: one, tools: [radar], handoffs: [b] });
  expect((await new Runner(a).run([question])).response).toBe('Rain.');
  const moved = sent(two.requests[0]);
  for (const text of kept) expect(moved).toContain(text);
  for (const text of left) expect(moved).not.toContain(text);
});

test('another agent in the same session gets the same', async () => {
  const store = memoryStore();
  const one = scriptedModel([looks, 'Rain.'], { provider: 'one' });
  const two = scriptedModel(['Still.'], { provider: 'two' });
  const a = new Agent({ name: 'a', model: one, tools: [radar] });
  await new Runner(a, { store }).run([question], { sessionId: 's' });
  const b = new Agent({ name: 'b', model: two, tools: [radar] });
  await new Runner(b, { store }).run('And now?', { sessionId: 's' });
  const moved = sent(two.requests[0]);
  for (const text of [...kept, 'And now?']) expect(moved).toContain(text);
  for (const text of left) expect(moved).not.toContain(text);
});

test('a fallback gives the next model the whole conversation, each vendor’s data under its name', async () => {
  const down = new ModelError('down', { reason: 'overloaded' });
  const one = scriptedModel([looks, down], { provider: 'one' });
  const two = scriptedModel(['Rain.'], { provider: 'two' });
  const agent = new Agent({
    name: 'bot',
    model: fallback(one, two),
    tools: [radar],
    modelSettings: { retry: { maxRetries: 0 } },
  });
  expect((await new Runner(agent).run([question])).response).toBe('Rain.');
  const [request] = two.requests;
  for (const text of kept) expect(sent(request)).toContain(text);
  // What is under another name a provider does not read: the contract of models has the case.
  for (const message of request?.messages ?? []) {
    for (const part of message.parts) {
      expect(Object.keys(part.providerData ?? {}).filter((name) => name !== 'one')).toEqual([]);
    }
  }
});
