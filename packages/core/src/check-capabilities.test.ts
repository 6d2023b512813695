import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Agent } from './agent.ts';
import { fallback } from './fallback.ts';
import type { Message } from './message.ts';
import type { Model, ModelCapabilities } from './model.ts';
import { retry } from './retry.ts';
import { Runner } from './runner.ts';
import { scriptedModel, type Script, type ScriptedModel } from './testing/index.ts';
import { content, tool } from './tool.ts';

const image = { type: 'file', mediaType: 'image/png', data: 'AAAA' } as const;
const picture = { role: 'user', parts: [{ type: 'text', text: 'See' }, image] } as const;
const radar = tool({
  name: 'radar',
  description: 'The radar',
  parameters: z.object({}),
  effect: 'read',
  execute: () => content([image]),
});
const clock = tool({
  name: 'clock',
  description: 'The time',
  parameters: z.object({}),
  effect: 'read',
  execute: () => '12',
});

const knowing = (
  capabilities: ModelCapabilities | undefined,
  script: Script = ['Hello.'],
  modelId = 'm',
): ScriptedModel => scriptedModel(script, { provider: 'p', modelId, capabilities });
const runner = (model: Model, tools = [radar, clock]): Runner =>
  new Runner(new Agent({ name: 'bot', model, tools }));

describe('an agent that needs what its model has not', () => {
  it('fails before the model is asked: tools', async () => {
    const model = knowing({ tools: false });
    expect((await runner(model).run('Hi')).error).toMatchObject({
      code: 'model_error',
      reason: 'invalid-request',
      message:
        'p/m was not asked. It calls no tools, and this agent has radar, clock. Choose a model that calls tools, or leave the tools out.',
    });
    expect(model.calls).toBe(0);
    expect((await runner(model, []).run('Hi')).response).toBe('Hello.');
  });

  it('fails before the model is asked: an image of the user', async () => {
    const model = knowing({ images: false });
    expect((await runner(retry(model)).run([picture])).error).toMatchObject({
      reason: 'invalid-request',
      message:
        'p/m was not asked. It sees no images, and there is one in a user message. Choose a model that sees images, or leave the image out.',
    });
    expect(model.calls).toBe(0);
    expect((await runner(model).run('Hi')).response).toBe('Hello.');
  });

  it('fails when a tool gave an image', async () => {
    const model = knowing({ tools: true, images: false }, [{ calls: [['radar', {}]] }, 'Hello.']);
    expect((await runner(model).run('Hi')).error).toMatchObject({
      reason: 'invalid-request',
      message: expect.stringContaining('there is one in the result of radar.'),
    });
    expect(model.calls).toBe(1);
  });

  it('says all that is missing', async () => {
    const model = knowing({ tools: false, images: false });
    expect((await runner(model).run([picture])).error?.message).toMatch(/no tools.*no images/);
  });
});

it.each([undefined, {}, { parallelToolCalls: false }, { tools: true, images: true }])(
  'nothing is refused for what is not known: %j',
  async (capabilities) => {
    expect((await runner(knowing(capabilities)).run([picture])).response).toBe('Hello.');
  },
);

it('a file that is no image is refused by nobody', async () => {
  const pdf = { role: 'user', parts: [{ ...image, mediaType: 'application/pdf' }] } as const;
  expect((await runner(knowing({ images: false })).run([pdf])).response).toBe('Hello.');
});

it('who knows better says so', async () => {
  const model = { ...knowing({ tools: false }), capabilities: { tools: true } };
  expect((await runner(model).run('Hi')).response).toBe('Hello.');
});

describe('fallback()', () => {
  const blind = () => knowing({ tools: false, images: false }, ['I guess.'], 'blind');

  it.each([
    ['tools', 'Hi'],
    ['images', [picture]],
  ] as const)('passes over a model that cannot: %s', async (_, input) => {
    const [first, second] = [blind(), knowing({ tools: true, images: true }, ['I see.'], 'sees')];
    const stream = runner(fallback(first, second)).stream(input);
    const moves: object[] = [];
    for await (const event of stream) if (event.type === 'model-fallback') moves.push(event);
    expect((await stream.result).response).toBe('I see.');
    expect(moves).toMatchObject([{ from: 'p/blind', to: 'p/sees', reason: 'invalid-request' }]);
    expect([first.calls, second.calls]).toEqual([0, 1]);
  });

  it('asks the first one where it can', async () => {
    const second = knowing({});
    const asked = await runner(fallback(blind(), second), []).run('Hi');
    expect([asked.response, second.calls]).toEqual(['I guess.', 0]);
  });

  it('fails where none can, also inside of another', async () => {
    const both = fallback(blind(), blind());
    expect((await runner(both).run('Hi')).error?.message).toMatch('p/blind was not asked.');
    const last = knowing(undefined, () => 'Hello.', 'last');
    expect((await runner(fallback(both, last)).run('Hi')).response).toBe('Hello.');
    expect((await runner(fallback(fallback(blind(), last), last)).run('Hi')).response).toBe(
      'Hello.',
    );
  });

  it.each<[string, readonly (ModelCapabilities | undefined)[], boolean | undefined]>([
    ['all', [{ images: true }, { images: true }], true],
    ['some', [{ images: false }, { images: true }], undefined],
    ['perhaps', [{ images: false }, undefined], undefined],
    ['none', [{ images: false }, { images: false }], false],
  ])('sees if one does: %s', (_, each, sees) => {
    expect(fallback(...each.map((one) => knowing(one))).capabilities?.images).toBe(sees);
  });
});

it('a message of an assistant is named as such', async () => {
  const spoken: Message = { id: 'a', role: 'assistant', parts: [image] };
  const stream = fallback(knowing({ images: false })).stream(
    { messages: [spoken], tools: [], settings: {} },
    { signal: new AbortController().signal },
  );
  const read = async (): Promise<void> => {
    for await (const _ of stream);
  };
  await expect(read()).rejects.toThrow('there is one in an assistant message.');
});
