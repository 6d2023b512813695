import { streamAnswer, jsonAnswer } from '@agent-functions/core/testing';
import { afterAll, describe, expect, it } from 'vitest';
import { asking, failure, listen, respond } from '../../test/targets.ts';
import { chunk, delta, done } from '../../test/wire-events.ts';
import { wireServer } from '../../test/wire-server.ts';
import { openai } from '../index.ts';

// What servers that speak Chat Completions "nearly" do.

const server = await wireServer();
afterAll(() => server.close());
const model = openai('llama', { baseURL: `${server.url}/v1` });

const calls = (...tool_calls: readonly object[]): string => delta({ tool_calls });
const fn = (name: string | undefined, text: unknown): object => ({
  function: { ...(name === undefined ? {} : { name }), arguments: text },
});

async function callsOf(...chunks: readonly string[]): Promise<unknown> {
  server.play(streamAnswer([...chunks, done].join('')));
  const { parts } = await respond(model);
  return parts.flatMap((part) =>
    part.type === 'tool-call' ? [[part.toolName, part.input, part.providerData?.['openai']]] : [],
  );
}

const a = ['a', { x: 1 }, { id: 'c1' }];
const b = ['b', { y: 2 }, { id: 'c2' }];

describe('tool calls', () => {
  it.each<[string, readonly string[], unknown]>([
    [
      'whole, in one chunk',
      [
        calls(
          { index: 0, id: 'c1', ...fn('a', '{"x":1}') },
          { index: 1, id: 'c2', ...fn('b', '{"y":2}') },
        ),
      ],
      [a, b],
    ],
    [
      'whole, all with index 0',
      [
        calls({ index: 0, id: 'c1', ...fn('a', '{"x":1}') }),
        calls({ index: 0, id: 'c2', ...fn('b', '{"y":2}') }),
      ],
      [a, b],
    ],
    [
      'without an index',
      [calls({ id: 'c1', ...fn('a', '{"x":1}') }), calls({ id: 'c2', ...fn('b', '{"y":2}') })],
      [a, b],
    ],
    [
      'in fragments without an index',
      [
        calls({ id: 'c1', ...fn('a', '{"x"') }),
        calls(fn(undefined, ':1}')),
        calls({ id: 'c2', ...fn('b', '{"y"') }),
        calls(fn(undefined, ':2}')),
      ],
      [a, b],
    ],
    [
      'with id and name in every fragment',
      [
        calls({ index: 0, id: 'c1', ...fn('a', '{"x"') }),
        calls({ index: 0, id: 'c1', ...fn('a', ':1}') }),
        calls({ index: 0, id: 'c1', ...fn('a', '') }),
        calls({ index: 1, id: 'c2', ...fn('b', '{"y":2}') }),
      ],
      [a, b],
    ],
    [
      'with empty ids and names after the first fragment',
      [
        calls({ index: 0, id: 'c1', ...fn('a', '{"x"') }),
        calls({ index: 0, id: '', ...fn('', ':1}') }),
        calls({ index: 0, id: null, function: { name: null, arguments: null } }),
      ],
      [a],
    ],
    [
      'without ids',
      [calls({ index: 0, ...fn('a', '{"x":1}') }, { index: 1, ...fn('b', '{"y":2}') })],
      [
        ['a', { x: 1 }, undefined],
        ['b', { y: 2 }, undefined],
      ],
    ],
    [
      'without ids and indexes, of the same tool',
      [calls(fn('a', '{"x":1}')), calls(fn('a', '{"x":2}'))],
      [
        ['a', { x: 1 }, undefined],
        ['a', { x: 2 }, undefined],
      ],
    ],
    [
      'with the same id twice',
      [
        calls(
          { index: 0, id: 'c1', ...fn('a', '{"x":1}') },
          { index: 1, id: 'c1', ...fn('a', '{"x":2}') },
        ),
      ],
      [a, ['a', { x: 2 }, { id: 'c1' }]],
    ],
    ['with an object as arguments', [calls({ index: 0, id: 'c1', ...fn('a', { x: 1 }) })], [a]],
    [
      'without arguments',
      [calls({ index: 0, id: 'c1', ...fn('a', '') })],
      [['a', {}, { id: 'c1' }]],
    ],
    [
      'with arguments that are not JSON',
      [calls({ index: 0, id: 'c1', ...fn('a', '{"x":') })],
      [['a', '{"x":', { id: 'c1' }]],
    ],
    [
      'with arguments before the name',
      [
        calls({ index: 0, id: 'c1', ...fn(undefined, '{"x"') }),
        calls({ index: 0, ...fn('a', ':1}') }),
      ],
      [a],
    ],
    [
      'with a signature beside it',
      [calls({ index: 0, id: 'c1', extra_content: { sig: 's' }, ...fn('a', '{"x":1}') })],
      [['a', { x: 1 }, { id: 'c1', extra_content: { sig: 's' } }]],
    ],
  ])('%s', async (_, chunks, expected) => {
    expect(await callsOf(...chunks, delta({}, 'tool_calls'))).toEqual(expected);
  });

  it('are the reason to go on even where the server says stop', async () => {
    server.play(
      streamAnswer(calls({ index: 0, id: 'c1', ...fn('a', '{}') }) + delta({}, 'stop') + done),
    );
    expect(await respond(model)).toMatchObject({ finishReason: 'tool-calls' });
  });

  it('without a name are an invalid response', async () => {
    server.play(
      streamAnswer(calls({ index: 0, id: 'c1', ...fn('', '{}') }) + delta({}, 'stop') + done),
    );
    expect(await failure(listen(model))).toMatchObject({ reason: 'invalid-response' });
  });

  it('show every byte of their arguments in deltas, also what came before the name', async () => {
    server.play(
      streamAnswer(
        calls({ index: 0, ...fn(undefined, '{"x"') }) +
          calls({ index: 0, ...fn('a', ':1}') }) +
          delta({}, 'stop') +
          done,
      ),
    );
    expect((await listen(model)).slice(0, -1)).toEqual([
      { type: 'tool-input-delta', index: 0, toolName: 'a', delta: '{"x":1}' },
    ]);
  });
});

it('takes a stream without a finish reason only when it is closed by the end mark', async () => {
  const text = delta({ content: 'Hello' });
  server.play(streamAnswer(text + done));
  expect(await respond(model)).toMatchObject({
    parts: [{ type: 'text', text: 'Hello' }],
    finishReason: 'stop',
  });
  server.play((response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(`${text}data: [DO`);
    setTimeout(() => response.end('NE]\n\n'), 20);
  });
  expect(await respond(model)).toMatchObject({ parts: [{ text: 'Hello' }] });
  server.play(streamAnswer(text));
  expect(await failure(listen(model))).toMatchObject({ reason: 'invalid-response' });
});

it('counts nothing where the server counts nothing', async () => {
  server.play(streamAnswer(delta({ content: 'Hi' }) + delta({ content: null }, 'stop') + done));
  expect(await respond(model)).toMatchObject({
    usage: { inputTokens: 0, outputTokens: 0, totalTokens: 0 },
  });
  server.play(
    streamAnswer(
      delta({ content: 'Hi' }, 'stop') +
        chunk({ choices: [], usage: { prompt_tokens: 3, completion_tokens: 2 } }) +
        done,
    ),
  );
  expect((await respond(model)).usage).toEqual({
    inputTokens: 3,
    outputTokens: 2,
    totalTokens: 5,
  });
});

it.each(['reasoning_content', 'reasoning'])('shows what a model thought, in %s', async (field) => {
  server.play(
    streamAnswer(
      delta({ [field]: 'Let me ' }) +
        delta({ [field]: 'think.' }) +
        delta({ content: 'Yes.' }, 'stop') +
        done,
    ),
  );
  const events = await listen(model);
  expect(events.map(({ type }) => type)).toEqual([
    'reasoning-delta',
    'reasoning-delta',
    'text-delta',
    'response',
  ]);
  expect(events.at(-1)).toMatchObject({
    response: {
      parts: [
        { type: 'reasoning', text: 'Let me think.', providerData: { openai: { field } } },
        { type: 'text', text: 'Yes.' },
      ],
    },
  });
});

it('reads content that is a list of parts', async () => {
  server.play(streamAnswer(delta({ content: [{ type: 'text', text: 'Hi' }] }, 'stop') + done));
  expect(await respond(model)).toMatchObject({ parts: [{ type: 'text', text: 'Hi' }] });
});

it('does not confuse an error as the finish reason with an answer', async () => {
  server.play(streamAnswer(delta({ content: 'Hi' }) + delta({}, 'error') + done));
  expect(await failure(listen(model))).toMatchObject({ reason: 'invalid-response' });
});

it('reads first chunks without choices, and choices other than the first not at all', async () => {
  server.play(
    streamAnswer(
      chunk({ id: '', choices: [], prompt_filter_results: [{ prompt_index: 0 }] }) +
        chunk({ choices: [{ index: 1, delta: { content: 'no' }, finish_reason: 'stop' }] }) +
        delta({ content: 'yes' }, 'stop') +
        done,
    ),
  );
  expect(await respond(model)).toMatchObject({ parts: [{ text: 'yes' }] });
});

it('reads errors that come with 200', async () => {
  server.play(jsonAnswer({ error: { message: 'no such model', code: 404 } }));
  const settings = { streaming: false };
  const error = await failure(listen(model, asking({ settings })));
  expect(error).toMatchObject({ reason: 'invalid-request', status: 404 });
});

it('sends no Authorization where there is no key', async () => {
  server.play(streamAnswer(delta({ content: 'Hi' }, 'stop') + done));
  await respond(model);
  expect(server.received.at(-1)?.headers.authorization).toBeUndefined();
});
