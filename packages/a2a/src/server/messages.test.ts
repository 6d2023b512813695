import {
  Agent,
  askForInput,
  jsonSchema,
  tool,
  type JsonObject,
  type Json,
} from '@agent-functions/core';
import { collect, scriptedModel, verifyJournal } from '@agent-functions/core/testing';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { answerOf, official, ours, say, taskIn, textOf, textPart } from '../../test/official.ts';
import { taskState } from './task-state.ts';

const anything = jsonSchema<JsonObject>({ type: 'object' }, { validate: (value) => Object(value) });

function payer(calls = 1, paid: JsonObject[] = []): Agent {
  const pay = tool({
    name: 'pay',
    description: 'Pays.',
    effect: 'once',
    parameters: anything,
    needsApproval: true,
    execute: (input) => {
      paid.push(input);
      return 'paid';
    },
  });
  const model = scriptedModel(({ messages }) => {
    const done = messages.filter(({ role }) => role === 'tool').length;
    return done < calls ? { calls: [['pay', { amount: done + 1 }]] } : 'All paid.';
  });
  return new Agent({ name: 'bank', model, tools: [pay] });
}

describe('a message that comes again', () => {
  it('finds its task: nothing is done twice', async () => {
    const model = scriptedModel(['Once.']);
    await using server = await ours([new Agent({ name: 'bot', model })], { authenticates: true });
    const client = await official(server.url, 'JSONRPC', 'ann');
    const message = say('Do it.', { messageId: 'm1' });
    const first = taskIn(await client.sendMessage(message));
    const again = taskIn(await client.sendMessage(message));
    expect(again).toEqual(first);
    const streamed = [];
    for await (const { payload } of client.sendMessageStream(message)) streamed.push(payload);
    expect(streamed[0]).toMatchObject({ $case: 'task', value: { id: first.id } });
    expect(model.calls).toBe(1);
    await expect(client.sendMessage(say('Something else.', { messageId: 'm1' }))).rejects.toThrow(
      /messageId was used before/,
    );
  });

  it('two at once are one task', async () => {
    const model = scriptedModel(['Once.']);
    await using server = await ours([new Agent({ name: 'bot', model })], { authenticates: true });
    const client = await official(server.url, 'HTTP+JSON', 'ann');
    const message = say('Do it.', { messageId: 'm1' });
    const tasks = await Promise.all([1, 2, 3].map(() => client.sendMessage(message)));
    expect(new Set(tasks.map((each) => taskIn(each).id)).size).toBe(1);
    expect(model.calls).toBe(1);
  });

  it('is another caller’s own: ids count by who sends them, and short ones of nobody do not count', async () => {
    const model = scriptedModel(() => 'Ok.');
    await using server = await ours([new Agent({ name: 'bot', model })], { authenticates: true });
    const ids = await Promise.all(
      ['ann', 'bob'].map(async (user) => {
        const client = await official(server.url, 'JSONRPC', user);
        return taskIn(await client.sendMessage(say('Do it.', { messageId: 'm1' }))).id;
      }),
    );
    expect(new Set(ids).size).toBe(2);
    await using open = await ours([new Agent({ name: 'bot', model })]);
    const nobody = await official(open.url, 'JSONRPC');
    const twice = async (messageId: string) => {
      const send = async () => taskIn(await nobody.sendMessage(say('Do it.', { messageId }))).id;
      return (await send()) === (await send());
    };
    expect([await twice('guessable'), await twice(crypto.randomUUID())]).toEqual([false, true]);
  });

  it('an answer that comes again answers no later question', async () => {
    const paid: JsonObject[] = [];
    await using server = await ours([payer(2, paid)], { authenticates: true });
    const client = await official(server.url, 'JSONRPC', 'ann');
    const task = taskIn(await client.sendMessage(say('Pay both.')));
    const yes = say('approve', { taskId: task.id });
    const second = taskIn(await client.sendMessage(yes));
    expect(second.status?.state).toBe(taskState.inputRequired);
    const again = taskIn(await client.sendMessage(yes));
    expect(again.status?.state).toBe(taskState.inputRequired);
    const streamed = [];
    for await (const { payload } of client.sendMessageStream(yes)) streamed.push(payload?.$case);
    expect(streamed).toEqual(['task']);
    expect(paid).toEqual([{ amount: 1 }]);
    const done = taskIn(await client.sendMessage(say('approve', { taskId: task.id })));
    expect([done.status?.state, paid]).toEqual([
      taskState.completed,
      [{ amount: 1 }, { amount: 2 }],
    ]);
    verifyJournal(await collect(server.store.runs.read(task.id)));
  });
});

describe('an approval', () => {
  it('says what is asked in a data part, and counts for what was shown', async () => {
    const paid: JsonObject[] = [];
    await using server = await ours([payer(1, paid)]);
    const client = await official(server.url, 'JSONRPC');
    const task = taskIn(await client.sendMessage(say('Pay.')));
    const [sentence, data] = task.status?.message?.parts ?? [];
    expect(textOf(sentence ?? textPart(''))).toMatch(/pay.*\{"amount":1\}/);
    const asked = data?.content?.$case === 'data' ? data.content.value : undefined;
    expect(asked).toMatchObject({
      interruptions: [{ kind: 'approval', tool_name: 'pay', input: { amount: 1 } }],
    });
    const { id } = asked.interruptions[0];
    for (const text of ['maybe', 'approve it twice', '']) {
      await expect(
        client.sendMessage(say('', { taskId: task.id, parts: [textPart(text)] })),
      ).rejects.toThrow(/waits for an approval/);
    }
    const wrong = { decisions: [{ interruption_id: 'other', approved: true }] };
    await expect(
      client.sendMessage(say('', { taskId: task.id, parts: [dataPart(wrong)] })),
    ).rejects.toThrow();
    expect(paid).toEqual([]);
    const right = { decisions: [{ interruption_id: id, approved: true, input: { amount: 5 } }] };
    const done = taskIn(
      await client.sendMessage(say('', { taskId: task.id, parts: [dataPart(right)] })),
    );
    expect([done.status?.state, paid]).toEqual([taskState.completed, [{ amount: 5 }]]);
  });

  it('may be refused', async () => {
    const paid: JsonObject[] = [];
    await using server = await ours([payer(1, paid)]);
    const client = await official(server.url, 'HTTP+JSON');
    const task = taskIn(await client.sendMessage(say('Pay.')));
    const no = { approved: false, message: 'Too much.' };
    const done = taskIn(
      await client.sendMessage(say('', { taskId: task.id, parts: [dataPart(no)] })),
    );
    expect([done.status?.state, paid]).toEqual([taskState.completed, []]);
  });
});

describe('parts', () => {
  it('reach the model: text, bytes, a URL, data as JSON', async () => {
    const model = scriptedModel(() => 'Seen.');
    await using server = await ours([new Agent({ name: 'eye', model })]);
    const client = await official(server.url, 'HTTP+JSON');
    const bare = { metadata: undefined, filename: '' };
    await client.sendMessage(
      say('', {
        parts: [
          textPart('Look:'),
          {
            ...bare,
            content: { $case: 'raw', value: Buffer.from('png') },
            mediaType: 'image/png',
            filename: 'a.png',
          },
          {
            ...bare,
            content: { $case: 'url', value: 'https://example.com/b.pdf' },
            mediaType: 'application/pdf',
          },
          dataPart({ a: [1, null] }),
        ],
      }),
    );
    expect(model.requests[0]?.messages.at(-1)?.parts).toEqual([
      { type: 'text', text: 'Look:' },
      { type: 'file', mediaType: 'image/png', data: 'cG5n', name: 'a.png' },
      { type: 'file', mediaType: 'application/pdf', url: 'https://example.com/b.pdf' },
      { type: 'text', text: '{"a":[1,null]}' },
    ]);
    await expect(
      client.sendMessage(
        say('', {
          parts: [
            {
              ...bare,
              content: { $case: 'url', value: 'https://169.254.169.254/x.png' },
              mediaType: 'image/png',
            },
          ],
        }),
      ),
    ).rejects.toThrow(/link-local/);
  });

  it('an output type is a data artifact', async () => {
    const agent = new Agent({
      name: 'typed',
      model: scriptedModel(() => ({ json: { city: 'Oslo', degrees: 4 } })),
      outputType: z.object({ city: z.string(), degrees: z.number() }),
    });
    await using server = await ours([agent]);
    const client = await official(server.url, 'JSONRPC');
    const card = await client.getAgentCard();
    expect(card.defaultOutputModes).toContain('application/json');
    const task = taskIn(await client.sendMessage(say('Weather?')));
    expect(task.artifacts.map(({ parts }) => parts.map(({ content }) => content))).toEqual([
      [{ $case: 'data', value: { city: 'Oslo', degrees: 4 } }],
    ]);
  });

  it('what is sent beside a message is given to tools', async () => {
    const seen: Json[] = [];
    const look = tool({
      name: 'look',
      description: 'Looks.',
      effect: 'read',
      parameters: anything,
      execute: (_input, { requestContext }) => {
        seen.push(requestContext);
        return 'ok';
      },
    });
    const model = scriptedModel([{ calls: [['look', {}]] }, 'Done.']);
    await using server = await ours([new Agent({ name: 'bot', model, tools: [look] })]);
    const client = await official(server.url, 'JSONRPC');
    await client.sendMessage({
      ...say('Go.', { metadata: { lang: 'no' } }),
      metadata: { plan: 'gold' },
    });
    expect(seen).toEqual([{ plan: 'gold', lang: 'no' }]);
  });
});

describe('a context', () => {
  it('remembers: the next task of it sees the one before', async () => {
    const model = scriptedModel(
      ({ messages }) => `${messages.filter(({ role }) => role === 'user').length}`,
    );
    await using server = await ours([new Agent({ name: 'bot', model })]);
    const client = await official(server.url, 'JSONRPC');
    const { contextId } = taskIn(await client.sendMessage(say('One.')));
    const second = taskIn(await client.sendMessage(say('Two.', { contextId })));
    expect(answerOf(second)).toBe('2');
  });

  it('has one task at a time', async () => {
    const ask = tool({
      name: 'ask',
      description: 'Asks.',
      effect: 'read',
      parameters: anything,
      execute: () => askForInput({ message: '?' }),
    });
    const model = scriptedModel(() => ({ calls: [['ask', {}]] }));
    await using server = await ours([new Agent({ name: 'bot', model, tools: [ask] })]);
    const client = await official(server.url, 'JSONRPC');
    const { contextId } = taskIn(await client.sendMessage(say('One.')));
    await expect(client.sendMessage(say('Two.', { contextId }))).rejects.toThrow(
      /Another task of this context/,
    );
  });

  it('of nobody’s choosing must not be guessable', async () => {
    const model = scriptedModel(() => 'Ok.');
    const { agentServer } = await import('@agent-functions/server');
    const { a2a } = await import('../index.ts');
    const server = agentServer({ agents: [new Agent({ name: 'bot', model })], protocols: [a2a()] });
    const send = async (contextId: string) => {
      const response = await server.fetch(
        new Request('http://localhost/a2a/bot/message:send', {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'a2a-version': '1.0' },
          body: JSON.stringify({
            message: { messageId: 'm', contextId, role: 'ROLE_USER', parts: [{ text: 'Hi' }] },
          }),
        }),
      );
      return response.status;
    };
    expect([await send('short'), await send(crypto.randomUUID())]).toEqual([400, 200]);
    await server.close({ graceMs: 100 });
  });
});

function dataPart(value: Json) {
  return {
    content: { $case: 'data' as const, value },
    metadata: undefined,
    filename: '',
    mediaType: 'application/json',
  };
}
