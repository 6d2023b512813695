import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { journalOf } from '../test/engine.ts';
import { allow, guardrail, reject, rewrite, tripwire } from '../test/guards.ts';
import { Agent } from './agent.ts';
import type { AgentDefinition } from './agent-definition.ts';
import type { HandoffConfig } from './handoff-config.ts';
import { memoryStore } from './memory-store.ts';
import type { ModelStreamEvent } from './model.ts';
import { ReflectionAgent } from './reflection-agent.ts';
import type { RunOptions } from './run-result.ts';
import { Runner } from './runner.ts';
import { collect, gate, scriptedModel, type Script } from './testing/index.ts';
import { tool } from './tool.ts';

/** What `textStream()` gives, and the result. */
async function spoken<O>(
  agent: AgentDefinition<unknown, O>,
  options: RunOptions & { readonly onRestart?: () => void } = {},
) {
  const { onRestart, ...rest } = options;
  const store = memoryStore();
  const stream = new Runner(agent, { store }).stream('Hi.', rest);
  const texts = await collect(stream.textStream({ onRestart }));
  const result = await stream.result;
  await journalOf(store, result.runId);
  return { texts, text: texts.join(''), result };
}

const bot = (name: string, script: Script, more: object = {}) =>
  new Agent({ name, model: scriptedModel(script), ...more });

const note = tool({
  name: 'note',
  description: 'Notes',
  parameters: z.object({}),
  effect: 'read',
  execute: () => 'noted',
});

const toBills = (extra: object = {}) => ({
  calls: [['handoff_to_bills', { message: 'x' }] as const],
  ...extra,
});

describe('one agent', () => {
  test('deltas as they come, the text beside tool calls included', async () => {
    const agent = bot('bot', [{ text: 'Let me note. ', calls: [['note', {}]] }, 'Noted, thanks.'], {
      tools: [note],
    });
    const { texts, text } = await spoken(agent);
    expect(text).toBe('Let me note. Noted, thanks.');
    expect(texts.length).toBeGreaterThan(2);
  });

  test('a model that does not stream: its text at once', async () => {
    const agent = bot('bot', ['All at once.'], { modelSettings: { streaming: false } });
    expect((await spoken(agent)).texts).toEqual(['All at once.']);
  });

  test('a typed answer as it is written', async () => {
    const agent = bot('bot', ['{ "n": 1 }'], { outputType: z.object({ n: z.number() }) });
    const { text, result } = await spoken(agent);
    expect([text, result.response]).toEqual(['{ "n": 1 }', '{ "n": 1 }']);
  });

  test('what afterRun changes was spoken before', async () => {
    const agent = bot('bot', ['Answer.'], { afterRun: () => ({ response: 'Changed.' }) });
    const { text, result } = await spoken(agent);
    expect([text, result.response]).toEqual(['Answer.', 'Changed.']);
  });
});

const from = { provider: 'scripted', modelId: 'script' };
const restarted = (before: string, after: string) => ({
  events: [
    { type: 'text-delta', delta: before },
    { type: 'restart', reason: 'network', attempt: 2, afterMs: 0, from },
  ] satisfies ModelStreamEvent[],
  text: after,
});

describe('text that is void', () => {
  test('throws, unless onRestart is passed', async () => {
    await expect(spoken(bot('bot', [restarted('Hal', 'Hello.')]))).rejects.toMatchObject({
      code: 'text_withdrawn',
    });
    let restarts = 0;
    const { text } = await spoken(bot('bot', [restarted('Hal', 'Hello.')]), {
      onRestart: () => (restarts += 1),
    });
    expect([text, restarts]).toEqual(['HalHello.', 1]);
  });

  test('a retry before anything was given withdraws nothing', async () => {
    expect((await spoken(bot('bot', [restarted('', 'Hello.')]))).text).toBe('Hello.');
  });

  test("a retry in a called agent does not withdraw its caller's text", async () => {
    const child = bot('child', [restarted('Hal', 'Hello.')]);
    const desk = bot(
      'desk',
      [{ text: 'I ask. ', calls: [['child', { message: 'x' }]] }, 'It says hello.'],
      { tools: [child.asTool({ toolName: 'child' })] },
    );
    expect((await spoken(desk)).text).toBe('I ask. It says hello.');
  });

  test("a called agent that is voided while another's text is under way", async () => {
    // The child of a broadcast speaks while nobody of the conversation does; then its caller speaks.
    const bills = bot('bills', [restarted('Hal', 'Paid.')]);
    const trips = bot('trips', [restarted('Hal', 'Booked.')]);
    const desk = bot('desk', ['Both done.'], {
      handoffConfig: {
        mode: 'coordinator',
        strategy: 'broadcast',
        targets: [{ agent: bills }, { agent: trips }],
      } satisfies HandoffConfig,
    });
    expect((await spoken(desk)).text).toBe('Both done.');
  });

  test('in the target of a transfer it is void; what was said before stays', async () => {
    const bills = bot('bills', [restarted('Hal', 'Hello.')]);
    const desk = bot('desk', [toBills({ text: 'One moment. ' })], { handoffs: [bills] });
    let restarts = 0;
    const { text } = await spoken(desk, { onRestart: () => (restarts += 1) });
    expect([text, restarts]).toEqual(['One moment. HalHello.', 1]);
  });
});

describe('several agents', () => {
  test('transfer: both, in order', async () => {
    const bills = bot('bills', ['Paid.']);
    const desk = bot('desk', [toBills({ text: 'One moment. ' })], { handoffs: [bills] });
    const { text, result } = await spoken(desk);
    expect([text, result.response]).toEqual(['One moment. Paid.', 'Paid.']);
  });

  test('route: the answer of whom it went to, not the choice', async () => {
    const bills = bot('bills', ['Paid.']);
    const desk = bot('desk', [{ json: { agent: 'bills', reason: 'money' } }], {
      handoffConfig: {
        mode: 'conditional',
        strategy: 'best_match',
        targets: [{ agent: bills }],
      } satisfies HandoffConfig,
    });
    expect((await spoken(desk)).text).toBe('Paid.');
  });

  test('chain: the last answer, once', async () => {
    const bills = bot('bills', ['Paid.']);
    const trips = bot('trips', ['Booked.']);
    const desk = bot('desk', [], {
      handoffConfig: {
        mode: 'sequential',
        targets: [{ agent: bills }, { agent: trips }],
      } satisfies HandoffConfig,
    });
    const { text, result } = await spoken(desk);
    expect([text, result.response]).toEqual(['Booked.', 'Booked.']);
  });

  test.each([true, false])(
    'called (delegate: %s): its answer only where it is the answer',
    async (delegate) => {
      const child = bot('child', [{ text: 'CANARY', calls: [['note', {}]] }, 'The answer.'], {
        tools: [note],
      });
      const desk = bot('desk', [{ calls: [['child', { message: 'x' }]] }, 'In my words.'], {
        tools: [child.asTool({ toolName: 'child', delegate })],
      });
      const { text, result } = await spoken(desk);
      expect(text).toBe(delegate ? 'The answer.' : 'In my words.');
      expect(result.response).toBe(text);
    },
  );

  test('a typed answer that is passed on word for word', async () => {
    const outputType = z.object({ n: z.number() });
    const child = bot('child', ['{ "n": 1 }'], { outputType });
    const desk = bot('desk', [{ calls: [['child', { message: 'x' }]] }], {
      tools: [child.asTool({ toolName: 'child', delegate: true })],
    });
    const { text, result } = await spoken(desk);
    expect(text).toBe(result.response);
  });

  test('a transfer of whom was routed to', async () => {
    const trips = bot('trips', ['Booked.']);
    const bills = bot(
      'bills',
      [{ text: 'Not me. ', calls: [['handoff_to_trips', { message: 'x' }]] }],
      { handoffs: [trips] },
    );
    const desk = bot('desk', [{ json: { agent: 'bills', reason: 'money' } }], {
      handoffConfig: {
        mode: 'conditional',
        strategy: 'best_match',
        targets: [{ agent: bills }],
      } satisfies HandoffConfig,
    });
    expect((await spoken(desk)).text).toBe('Not me. Booked.');
  });

  test('a transfer inside an agent that was called is not spoken', async () => {
    const bills = bot('bills', ['CANARY paid.']);
    const child = bot('child', [toBills({ text: 'CANARY' })], { handoffs: [bills] });
    const desk = bot('desk', [{ calls: [['child', { message: 'x' }]] }, 'Done.'], {
      tools: [child.asTool({ toolName: 'child' })],
    });
    expect((await spoken(desk)).text).toBe('Done.');
  });
});

describe('text that is held', () => {
  const held = (
    script: Script,
    decision: Parameters<typeof guardrail>[1] = allow,
    more: object = {},
  ) => bot('bills', script, { outputGuardrails: [guardrail('check', decision)], ...more });

  test('the answer, once: allowed, rewritten, after a rejection', async () => {
    expect((await spoken(held(['Fine.']))).text).toBe('Fine.');
    expect((await spoken(held(['CANARY'], rewrite('Clean.')))).text).toBe('Clean.');
    const strict = held(['CANARY', 'Fine.'], ({ value }) =>
      value === 'CANARY' ? reject('No.') : allow,
    );
    expect((await spoken(strict)).text).toBe('Fine.');
  });

  test('a refused answer is no text: the stream fails with the code', async () => {
    const given: string[] = [];
    for (const [decision, code] of [
      [reject('No.'), 'guardrail_rejected'],
      [tripwire(), 'guardrail_tripwire'],
    ] as const) {
      const stream = new Runner(held(() => 'CANARY', decision)).stream('Hi.');
      const read = async () => {
        for await (const text of stream.textStream()) given.push(text);
      };
      await expect(read()).rejects.toMatchObject({ code });
    }
    expect(given).toEqual([]);
  });

  test('after a transfer, a typed one, and one that afterRun changes', async () => {
    const desk = bot('desk', [toBills({ text: 'One moment. ' })], { handoffs: [held(['Paid.'])] });
    expect((await spoken(desk)).text).toBe('One moment. Paid.');
    const outputType = z.object({ n: z.number() });
    const typed = held(['{ "n": 1 }'], allow, { outputType });
    expect((await spoken(typed)).text).toBe('{ "n": 1 }');
    const changed = held(['Answer.'], allow, { afterRun: () => ({ response: 'Other.' }) });
    expect((await spoken(changed)).text).toBe('Answer.');
  });

  test('in a called agent it is not spoken; where it is the answer, it is, once', async () => {
    for (const delegate of [true, false]) {
      const desk = bot('desk', [{ calls: [['bills', { message: 'x' }]] }, 'So it is.'], {
        tools: [held(['Paid.']).asTool({ toolName: 'bills', delegate })],
      });
      expect((await spoken(desk)).text).toBe(delegate ? 'Paid.' : 'So it is.');
    }
  });

  test('drafts that are judged: the kept one', async () => {
    const writer = new ReflectionAgent({
      name: 'writer',
      model: scriptedModel(['Draft one.', 'Draft two.']),
      evaluationFunction: ({ response }) => (response === 'Draft one.' ? 0.6 : 0.5),
      enableSelfEvaluation: false,
      maxReflectionIterations: 1,
    });
    expect((await spoken(writer)).text).toBe('Draft one.');
  });

  test('with guardrails on both sides: text waits for the one, then for the other', async () => {
    const input = gate();
    const output = gate();
    const waiting = (name: string, at: ReturnType<typeof gate>) =>
      guardrail(name, async () => {
        await at.wait();
        return allow;
      });
    const agent = bot('bot', ['Fine.'], {
      inputGuardrails: [waiting('in', input)],
      outputGuardrails: [waiting('out', output)],
    });
    const given: string[] = [];
    const stream = new Runner(agent, { store: memoryStore() }).stream('Hi.');
    const reading = (async () => {
      for await (const text of stream.textStream()) given.push(text);
    })();
    await input.reached;
    input.open();
    await output.reached;
    expect(given).toEqual([]);
    output.open();
    await reading;
    expect(given).toEqual(['Fine.']);
  });
});

test('a run without a store speaks the same', async () => {
  const bills = bot('bills', ['Paid.'], { outputGuardrails: [guardrail('fine', allow)] });
  const desk = bot('desk', [toBills({ text: 'One moment. ' })], { handoffs: [bills] });
  const stream = new Runner(desk).stream('Hi.');
  expect((await collect(stream.textStream())).join('')).toBe('One moment. Paid.');
});
