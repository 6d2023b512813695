import {
  Agent,
  content,
  fallback,
  memoryStore,
  Runner,
  tool,
  type Watched,
} from '@agent-functions/core';
import type {
  ModelHarness,
  ModelUnderTest,
  ServerAnswer,
  ServerReply,
} from '@agent-functions/core/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { harness as anthropic } from '../packages/providers-anthropic/test/contract-harness.ts';
import { harness as google } from '../packages/providers-google/test/contract-harness.ts';
import { targets as googleTargets } from '../packages/providers-google/test/targets.ts';
import { harness as ollama } from '../packages/providers-ollama/test/contract-harness.ts';
import { harness as openai } from '../packages/providers-openai/test/contract-harness.ts';
import { targets as openaiTargets } from '../packages/providers-openai/test/targets.ts';

// Conversations that move between vendors, each by its own SDK over HTTP to a server that speaks its wire. Every request
// is checked against what its vendor documents.

interface Vendor {
  readonly name: string;
  readonly provider: string;
  readonly harness: ModelHarness;
  /** It wants its own reasoning back, with a proof. */
  readonly signs: boolean;
}

function vendor(provider: string, harness: ModelHarness, name = provider): Vendor {
  const signs = harness.cannot?.['reasoning-round-trip'] === undefined;
  return { name, provider, harness, signs };
}

function openaiTarget(name: string): Vendor {
  const target = openaiTargets.find((one) => one.name === name);
  if (target === undefined) throw new Error(`There is no target ${name}.`);
  return vendor(target.provider, openai(target), `${target.provider}, ${name}`);
}

function googleTarget(name: string): Vendor {
  const target = googleTargets.find((one) => one.name === name);
  if (target === undefined) throw new Error(`There is no target ${name}.`);
  return vendor('google', google(target), `google, ${name}`);
}

const responses = openaiTarget('Responses');
const claude = vendor('anthropic', anthropic('claude-sonnet-5-5'));
const vendors: readonly Vendor[] = [
  responses,
  openaiTarget('Azure classic'),
  openaiTarget('Azure AI'),
  claude,
  googleTarget('Gemini API'),
  vendor('ollama', ollama),
];

/** A model whose server plays these replies. Its requests are checked when the test ends. */
async function playing(
  { harness }: Vendor,
  ...replies: readonly ServerReply[]
): Promise<ModelUnderTest> {
  const made = await harness.make({ name: 'text', replies });
  onTestFinished(async () => {
    for (const request of made.requests()) expect(made.faults(request)).toEqual([]);
    await made.dispose();
  });
  return made;
}

function answer(more: Omit<ServerAnswer, 'type' | 'finish'>): ServerAnswer {
  const finish = more.calls === undefined ? 'stop' : 'tool-calls';
  return { type: 'answer', finish, ...more };
}

const text = ['It rains ', 'in Köln', ' 🌧.'];
const modelSettings = { retry: { maxRetries: 0 } };

/** What a watcher shows at the end: deltas, without those that were void. */
function shown(events: readonly Watched[]): string {
  let seen = '';
  for (const event of events) {
    if (event.type === 'void') seen = '';
    if (event.type === 'text-delta') seen += event.delta;
  }
  return seen;
}

const failures: readonly [name: string, reply: ServerReply, reason: string][] = [
  ['429', { type: 'failure', status: 429, reason: 'rate-limit', message: 'slow' }, 'rate-limit'],
  ['500', { type: 'failure', status: 500, reason: 'overloaded', message: 'sorry' }, 'overloaded'],
  ['cut before the first delta', answer({ text, cutAfterChunks: 0 }), 'network'],
  ['cut after the first delta', answer({ text, cutAfterChunks: 2 }), 'network'],
  ['ended after the first delta', answer({ text, endAfterChunks: 2 }), 'invalid-response'],
];
const pairs = vendors.flatMap((from) =>
  vendors.flatMap((to) => (from === to ? [] : [{ from, to }])),
);

describe.each([
  { from: responses, to: claude },
  ...vendors.flatMap((from, at) => {
    const to = vendors[(at + 3) % vendors.length];
    return to === undefined ? [] : [{ from, to }];
  }),
])('fallback($from.name, $to.name)', ({ from, to }) => {
  it.each(failures)('answers once, when the first one fails: %s', async (_, reply, reason) => {
    const first = await playing(from, reply);
    const second = await playing(to, answer({ text }));
    const agent = new Agent({
      name: 'bot',
      model: fallback(first.model, second.model),
      modelSettings,
    });
    const stream = new Runner(agent, { store: memoryStore() }).stream('How is the weather?');
    const events: Watched[] = [];
    for await (const event of stream) events.push(event);
    expect((await stream.result).response).toBe(text.join(''));
    expect(shown(events)).toBe(text.join(''));
    expect(events.filter(({ type }) => type === 'model-fallback')).toMatchObject([
      {
        from: `${from.provider}/${first.model.modelId}`,
        to: `${to.provider}/${second.model.modelId}`,
        reason,
      },
    ]);
    expect([first.requests().length, second.requests().length]).toEqual([1, 1]);
  });

  it('gives a reader of the text alone no word twice', async () => {
    const first = await playing(from, answer({ text, cutAfterChunks: 2 }));
    const second = await playing(to, answer({ text }));
    const model = fallback(first.model, second.model);
    const agent = new Agent({ name: 'bot', model, modelSettings });
    let read = '';
    let restarts = 0;
    const onRestart = (): void => {
      restarts += 1;
      read = '';
    };
    for await (const piece of new Runner(agent).stream('Go').textStream({ onRestart }))
      read += piece;
    expect([read, restarts]).toEqual([text.join(''), 1]);
  });
});

describe('a session that goes to another vendor by a handoff, and back', () => {
  const radar = tool({
    name: 'radar',
    description: 'The radar of a city',
    parameters: z.object({ city: z.string() }),
    effect: 'read',
    execute: ({ city }) =>
      content([
        { type: 'text', text: `Rain over ${city}.` },
        { type: 'file', mediaType: 'image/png', data: 'UkFEQVI=' },
      ]),
  });
  const question = {
    role: 'user',
    parts: [
      { type: 'text', text: 'What is this?' },
      { type: 'file', mediaType: 'image/png', data: 'SU1BR0U=' },
    ],
  } as const;
  const looks = answer({
    reasoning: { text: ['Private ', 'thoughts.'], proof: 'cHJpdmF0ZSBwcm9vZg==' },
    text: ['Let me ', 'look.'],
    calls: [{ id: 'call_of_the_first', toolName: 'radar', input: '{"city":"Köln"}' }],
  });
  const handsTo = (agent: string): ServerAnswer =>
    answer({
      text: [`Over to `, `${agent}.`],
      calls: [{ id: 'call_over', toolName: `handoff_to_${agent}`, input: '{"message":"Go on."}' }],
    });
  const kept = ['What is this?', 'SU1BR0U=', 'Let me look.', 'Rain over Köln.', 'UkFEQVI='];
  const proof = 'cHJpdmF0ZSBwcm9vZg==';

  it.each(pairs)('$from.name → $to.name', async ({ from, to }) => {
    const first = await playing(from, looks, handsTo('two'), answer({ text: ['I am ', 'back.'] }));
    const second = await playing(to, answer({ text }), handsTo('one'));
    const tools = [radar];
    const one: Agent = new Agent({
      name: 'one',
      model: first.model,
      tools,
      handoffs: () => [two],
    });
    const two: Agent = new Agent({
      name: 'two',
      model: second.model,
      tools,
      handoffs: () => [one],
    });
    const runner = new Runner(one, { store: memoryStore() });
    const session = { sessionId: 's' };

    const stream = runner.stream([question], session);
    const warnings: string[] = [];
    for await (const event of stream) if (event.type === 'warning') warnings.push(event.code);
    expect((await stream.result).response).toBe(text.join(''));
    const moved = JSON.stringify(second.requests()[0]);
    for (const said of [...kept, 'Over to two.']) expect(moved).toContain(said);
    for (const own of ['Private', 'thoughts.', proof]) expect(moved).not.toContain(own);
    expect(warnings).toEqual([]);

    expect((await runner.run('And now?', session)).response).toBe('I am back.');
    const back = JSON.stringify(first.requests().at(-1));
    for (const said of [...kept, text.join(''), 'And now?', 'Over to one.']) {
      expect(back).toContain(said);
    }
    if (from.signs) expect(back).toContain(proof);
  });
});
