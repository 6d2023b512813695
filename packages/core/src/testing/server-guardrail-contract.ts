import type { Guardrail } from '../guardrail.ts';
import { isJsonArray, isJsonObject, type Json } from '../json.ts';
import { outputText } from '../message.ts';
import { ReflectionAgent } from '../reflection-agent.ts';
import { equal, ok } from './assert.ts';
import { scriptedModel } from './scripted-model.ts';
import { eventsOf, readsOnAfterEvery, type WireEvent } from './server-events.ts';
import { countingTool, scripted, textField, type ServerCase } from './server-fixture.ts';

/** What is checked and judged before a client sees it. */
export function serverGuardrailContract(define: ServerCase): void {
  define('answers 422 with the message of the guardrail that refused a request', async (t) => {
    const { agent } = scripted('clerk', () => 'canary-1a9', {
      inputGuardrails: [guardrail(() => ({ action: 'reject', message: 'Ask about orders.' }))],
    });
    const server = await t.serve({ agents: [agent] });
    const { status, body, text } = await server.chat('clerk', { message: 'Tell me a joke.' });
    equal(
      [status, body['code'], body['detail']],
      [422, 'guardrail_rejected', 'Ask about orders.'],
      'problem',
    );
    ok(!text.includes('canary-1a9'), 'nothing of what the model said');
    const run = await server.get(`/api/runs/${textField(body, 'run_id')}`);
    equal([run.body['status'], run.body['response']], ['failed', ''], 'the run');
    const events = await eventsOf(await server.streamChat('clerk', { message: 'Another joke.' }));
    const { data: end = {} } = events.at(-1) ?? {};
    const { error = null } = end;
    ok(isJsonObject(error), 'error');
    equal(
      [end['status'], error['code'], error['message']],
      ['failed', 'guardrail_rejected', 'Ask about orders.'],
      'run-end',
    );
    equal(spoken(events), '', 'deltas');
    ok(!JSON.stringify(events).includes('canary-1a9'), 'nothing of what the model said, streamed');
  });

  define('answers 422 for a tripwire, and keeps what the guardrail noted', async (t) => {
    const { agent } = scripted('clerk', () => 'Hello.', {
      inputGuardrails: [
        guardrail(() => ({ action: 'tripwire', info: { matched: 'canary-4c4' } }), 'blocking'),
      ],
    });
    const server = await t.serve({ agents: [agent] });
    const { status, body, text } = await server.chat('clerk', { message: 'Hi' });
    equal([status, body['code']], [422, 'guardrail_tripwire'], 'problem');
    const run = await server.get(`/api/runs/${textField(body, 'run_id')}`);
    const events = await eventsOf(await server.streamChat('clerk', { message: 'Hi' }));
    equal(events.at(-1)?.data?.['status'], 'failed', 'run-end');
    const results = events.filter(({ event }) => event === 'guardrail-result');
    equal(
      results.map(({ data }) => data?.['action']),
      ['tripwire'],
      'guardrail-result',
    );
    for (const shown of [text, run.text, JSON.stringify(events)]) {
      ok(!shown.includes('canary-4c4'), 'nothing of what the guardrail noted');
    }
  });

  define('answers 500 where a guardrail throws, and keeps the reason inside', async (t) => {
    const { agent } = scripted('clerk', () => 'Hello.', {
      inputGuardrails: [
        guardrail(() => {
          throw new Error('canary-8b2: no such table');
        }),
      ],
    });
    const server = await t.serve({ agents: [agent] });
    const { status, body, text } = await server.chat('clerk', { message: 'Hi' });
    equal([status, body['code']], [500, 'guardrail_error'], 'problem');
    const events = await eventsOf(await server.streamChat('clerk', { message: 'Hi' }));
    ok(!`${text}${JSON.stringify(events)}`.includes('canary-8b2'), 'the reason stays inside');
    ok(
      t.log.some((line) => line.includes('canary-8b2')),
      'the log tells the reason',
    );
  });

  define('keeps a request that was refused out of the conversation', async (t) => {
    const decide: Guardrail['check'] = ({ value }) => {
      if (value === 'throw') throw new Error('no such table');
      return value === 'reject'
        ? { action: 'reject', message: 'No.' }
        : { action: value === 'trip' ? 'tripwire' : 'allow' };
    };
    for (const mode of ['parallel', 'blocking'] as const) {
      const clerk = scripted('clerk', () => 'Fine.', {
        inputGuardrails: [guardrail(decide, mode)],
      });
      const desk = scripted('desk', [], {
        handoffConfig: { mode: 'conditional', targets: [{ agent: clerk.agent }] },
      });
      const server = await t.serve({ agents: [clerk.agent, desk.agent] });
      for (const name of ['clerk', 'desk']) {
        const { body } = await server.chat(name, { message: 'One' });
        const session_id = textField(body, 'session_id');
        for (const message of ['reject', 'trip', 'throw']) {
          const refused = await server.chat(name, { message, session_id });
          ok([422, 500].includes(refused.status), `${message}: ${refused.status}`);
        }
        await server.chat(name, { message: 'Two', session_id });
        equal(
          clerk.model.requests
            .at(-1)
            ?.messages.map(({ parts }) => outputText({ type: 'content', parts })),
          ['One', 'Fine.', 'Two'],
          `what ${name} was told, ${mode}`,
        );
      }
    }
  });

  define('streams an answer when its guardrails have passed it, as they left it', async (t) => {
    const { agent } = scripted('clerk', () => 'Card 4111 1111 1111 1111 is on file.', {
      outputGuardrails: [
        guardrail(({ value }) => ({
          action: 'rewrite',
          value: JSON.stringify(value)
            .slice(1, -1)
            .replace(/\d{4}( \d{4}){3}/, '****'),
        })),
      ],
    });
    const server = await t.serve({ agents: [agent] });
    const { status, body } = await server.chat('clerk', { message: 'Which card?' });
    equal([status, body['response']], [200, 'Card **** is on file.'], 'answer');
    const events = await eventsOf(await server.streamChat('clerk', { message: 'Which card?' }));
    equal(spoken(events), 'Card **** is on file.', 'deltas');
    await readsOnAfterEvery(server, events, 'Card **** is on file.');
    equal(events.at(-1)?.data?.['response'], 'Card **** is on file.', 'run-end');
    ok(!JSON.stringify(events).includes('4111'), 'nothing of what was replaced');
  });

  define(
    'tells the model, not the client, what a tool returned that may not be read',
    async (t) => {
      const { tool } = countingTool('look');
      const { agent } = scripted('clerk', [{ calls: [['look', { id: 'canary-2f7' }]] }, 'No.'], {
        tools: [
          {
            ...tool,
            guardrails: {
              output: [guardrail(() => ({ action: 'reject', message: 'This is not for you.' }))],
            },
          },
        ],
      });
      const server = await t.serve({ agents: [agent] });
      const { status, body } = await server.chat('clerk', { message: 'Look' });
      equal([status, body['response']], [200, 'No.'], 'answer');
      const results = body['tool_results'];
      ok(isJsonArray(results) && isJsonObject(results[0]), 'a tool result');
      equal(results[0]['is_error'], true, 'is_error');
      ok(!JSON.stringify(results[0]['result']).includes('canary-2f7'), 'nothing of the result');
    },
  );

  define('shows how an answer was judged, and only the text that was kept', async (t) => {
    const agent = new ReflectionAgent<unknown, unknown>({
      name: 'writer',
      model: scriptedModel(['A poor draft.', 'A better text.', 'A poor draft.', 'A better text.']),
      evaluationFunction: ({ response }) => (response.includes('poor') ? 0.2 : 0.9),
    });
    const server = await t.serve({ agents: [agent] });
    const { body } = await server.chat('writer', { message: 'Write.' });
    equal(body['response'], 'A better text.', 'response');
    const reflection = body['reflection'];
    ok(isJsonObject(reflection) && isJsonArray(reflection['history']), 'reflection');
    equal([reflection['score'], reflection['iterations']], [0.9, 1], 'score');
    equal(reflection['history'].map(judgement), [0.2, 0.9], 'history');
    const response = await server.streamChat('writer', { message: 'Write.' });
    const events = await eventsOf(response);
    const judged = events.filter(({ event }) => event === 'reflection');
    equal(
      judged.map(({ data }) => judgement(data)),
      [0.2, 0.9],
      'reflection events',
    );
    ok(!JSON.stringify(events).includes('poor'), 'no text that was not kept');
    equal(spoken(events), 'A better text.', 'deltas');
    await readsOnAfterEvery(server, events, 'A better text.');
  });
}

/** A guardrail that decides the same each time. */
function guardrail(check: Guardrail['check'], mode?: Guardrail['mode']): Guardrail {
  return { name: 'policy', mode, check };
}

function judgement(step: Json | undefined): Json | undefined {
  return isJsonObject(step) ? step['score'] : undefined;
}

/** What the deltas say. */
function spoken(events: readonly WireEvent[]): string {
  return events
    .filter(({ event }) => event === 'text-delta')
    .map(({ data }) => textField(data ?? {}, 'delta'))
    .join('');
}
