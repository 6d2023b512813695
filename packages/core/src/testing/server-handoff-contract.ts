import type { Agent } from '../agent.ts';
import { isJsonArray, isJsonObject } from '../json.ts';
import type { Tool } from '../tool.ts';
import { equal, ok } from './assert.ts';
import { scriptedModel, type Script } from './scripted-model.ts';
import { ended } from './server-run-contract.ts';
import { eventsOf, foldText, readsOnAfterEvery } from './server-events.ts';
import { countingTool, handsOff, scripted, textField, type ServerCase } from './server-fixture.ts';

/** Several agents: handoffs, the path they take, agents that others ask. */
export function serverHandoffContract(define: ServerCase): void {
  define('says who had the word and why, in a chat and of a run', async (t) => {
    const billing = scripted('billing', ['It is paid.']);
    const desk = scripted('desk', [handsOff('billing', 'Is invoice 7 paid?', 'An invoice.')], {
      handoffs: [billing.agent],
    });
    const server = await t.serve({ agents: [desk.agent] });
    const { status, body } = await server.chat('desk', { message: 'Invoice 7?' });
    equal([status, body['status'], body['response']], [200, 'completed', 'It is paid.'], 'answer');
    equal([body['agent'], body['handoff_path']], ['desk', ['desk', 'billing']], 'path');
    const hops = [{ from: 'desk', to: 'billing', primitive: 'transfer', reason: 'An invoice.' }];
    equal(body['hops'], hops, 'hops');
    const run = await server.get(`/api/runs/${textField(body, 'run_id')}`);
    equal([run.body['handoff_path'], run.body['hops']], [['desk', 'billing'], hops], 'the run');
  });

  define('streams a handoff: every delta says who speaks', async (t) => {
    const billing = scripted('billing', ['The invoice is paid.']);
    const desk = scripted('desk', [handsOff('billing', 'Invoice 7?', 'An invoice.')], {
      handoffs: [billing.agent],
    });
    const server = await t.serve({ agents: [desk.agent] });
    const events = await eventsOf(await server.streamChat('desk', { message: 'Invoice 7?' }));
    const { data: handoff = {} } = events.find(({ event }) => event === 'handoff') ?? {};
    equal(
      [handoff['agent'], handoff['to'], handoff['primitive'], handoff['reason']],
      ['desk', 'billing', 'transfer', 'An invoice.'],
      'handoff',
    );
    const deltas = events.filter(({ event }) => event === 'text-delta');
    ok(deltas.length > 1, 'deltas');
    for (const { data } of deltas) {
      equal([data?.['agent'], data?.['frame']], ['billing', handoff['child_frame']], 'delta');
    }
    const last = events.at(-1);
    equal(
      [last?.event, last?.data?.['handoff_path']],
      ['run-end', ['desk', 'billing']],
      'the last event',
    );
    await readsOnAfterEvery(server, events, 'The invoice is paid.');
  });

  define('routes to an agent that has no chat of its own', async (t) => {
    const angry = scripted('angry', ['I am sorry.'], { enableConversationalAgent: false });
    const calm = scripted('calm', ['Fine.'], { enableConversationalAgent: false });
    const desk = scripted('desk', [], {
      handoffConfig: {
        mode: 'conditional',
        targets: [
          { agentName: 'angry', condition: ({ message }) => message.endsWith('!') },
          { agentName: 'calm' },
        ],
      },
    });
    const server = await t.serve({ agents: [desk.agent, angry.agent, calm.agent] });
    const events = await eventsOf(await server.streamChat('desk', { message: 'Now!' }));
    const route = events.find(({ event }) => event === 'route');
    equal([route?.data?.['agent'], route?.data?.['to']], ['desk', 'angry'], 'route');
    equal(foldText(events), 'I am sorry.', 'text');
    const { body } = await server.chat('desk', { message: 'Well.' });
    equal([body['response'], body['handoff_path']], ['Fine.', ['desk', 'calm']], 'chat');
    equal((await server.chat('angry', { message: 'Hi' })).status, 404, 'no chat');
    const info = await server.get('/api/agents/desk/info');
    equal(info.body['handoffs'], ['angry', 'calm'], 'info');
  });

  define('lets a coordinator answer, and tells which of those it asked failed', async (t) => {
    const flight = scripted('flight', ['At nine.']);
    const hotel = scripted('hotel', () => new Error('canary-5d1: no route to 10.0.0.7'));
    const planner = scripted(
      'planner',
      [
        {
          calls: [
            ['flight', { message: 'To Rome.' }],
            ['hotel', { message: 'In Rome.' }],
          ],
        },
        'The flight leaves at nine; there is no hotel.',
      ],
      { tools: [flight.agent.asTool(), hotel.agent.asTool()] },
    );
    const server = await t.serve({ agents: [planner.agent] });
    const { status, body, text } = await server.chat('planner', { message: 'Rome.' });
    equal(
      [status, body['response']],
      [200, 'The flight leaves at nine; there is no hotel.'],
      'answer',
    );
    const results = body['tool_results'];
    ok(isJsonArray(results), 'tool_results');
    equal(
      results.map((one) => isJsonObject(one) && [one['tool'], one['is_error']]),
      [
        ['flight', false],
        ['hotel', true],
      ],
      'results',
    );
    const hops = body['hops'];
    ok(isJsonArray(hops), 'hops');
    equal(
      hops.map((one) => isJsonObject(one) && [one['from'], one['to'], one['primitive']]),
      [
        ['planner', 'flight', 'call'],
        ['planner', 'hotel', 'call'],
      ],
      'hops',
    );
    ok(!text.includes('canary-5d1'), 'the answer does not tell the reason');
    const events = await server.request(`/api/runs/${textField(body, 'run_id')}/events`);
    ok(!(await events.text()).includes('canary-5d1'), 'the events do not tell the reason');
    ok(
      t.log.some((line) => line.includes('canary-5d1')),
      'the log tells the reason',
    );
  });

  define('streams agents that work side by side, each in its frame', async (t) => {
    const flight = scripted('flight', ['The flight leaves at nine.']);
    const hotel = scripted('hotel', ['The hotel has rooms.']);
    const planner = scripted(
      'planner',
      [
        {
          calls: [
            ['flight', { message: 'To Rome.' }],
            ['hotel', { message: 'In Rome.' }],
          ],
        },
        'Both are there.',
      ],
      { tools: [flight.agent.asTool(), hotel.agent.asTool()] },
    );
    const server = await t.serve({ agents: [planner.agent] });
    const events = await eventsOf(await server.streamChat('planner', { message: 'Rome.' }));
    const said: Record<string, string> = {};
    const frames: string[] = [];
    for (const { event, data = {} } of events) {
      if (event === 'handoff') {
        frames.push(`${textField(data, 'to')} ${textField(data, 'child_frame')}`);
      } else if (event === 'text-delta') {
        const who = `${textField(data, 'agent')} ${textField(data, 'frame')}`;
        said[who] = (said[who] ?? '') + textField(data, 'delta');
      }
    }
    const [first = '', second = ''] = frames;
    equal(
      said,
      {
        [first]: 'The flight leaves at nine.',
        [second]: 'The hotel has rooms.',
        'planner f0': 'Both are there.',
      },
      'who said what',
    );
    await readsOnAfterEvery(server, events, foldText(events));
  });

  define('answers no 200 when whoever was handed the word fails', async (t) => {
    const billing = scripted('billing', () => new Error('canary-9e0'));
    const desk = scripted('desk', [handsOff('billing', 'Go.')], { handoffs: [billing.agent] });
    const server = await t.serve({ agents: [desk.agent] });
    const { status, text } = await server.chat('desk', { message: 'Go' });
    ok(status >= 500, `status is ${status}`);
    ok(!text.includes('canary-9e0'), 'the body does not tell the reason');
  });

  define('ends a loop of handoffs with stop_reason and the work so far', async (t) => {
    const pong = scripted('pong', () => handsOff('ping', 'You.'), { handoffs: () => [ping.agent] });
    const ping = scripted('ping', () => handsOff('pong', 'You.'), { handoffs: [pong.agent] });
    const server = await t.serve({ agents: [ping.agent] });
    const { status, body } = await server.chat('ping', { message: 'Go' });
    equal(
      [status, body['status'], body['stop_reason']],
      [200, 'stopped', 'handoff_loop'],
      'answer',
    );
  });

  define(
    'pauses for an approval three frames deep, which another process is told of',
    async (t) => {
      const { tool, calls } = countingTool('pay', { needsApproval: true });
      const agents = () => {
        const clerk = placed('clerk', [{ calls: [['pay', { amount: 3 }]] }, 'Paid.'], [tool]);
        const desk = placed(
          'desk',
          [{ calls: [['clerk', { message: 'Pay.' }]] }, 'It is paid.'],
          [clerk.asTool()],
        );
        return [
          placed(
            'front',
            [{ calls: [['desk', { message: 'Pay 3.' }]] }, 'All done.'],
            [desk.asTool()],
          ),
        ];
      };
      const server = await t.serve({ agents: agents() });
      const { status, body } = await server.chat('front', { message: 'Pay 3' });
      equal([status, body['status']], [200, 'interrupted'], 'the chat');
      const [asked] = isJsonArray(body['interruptions']) ? body['interruptions'] : [];
      ok(isJsonObject(asked), 'an interruption');
      equal([asked['agent'], asked['tool_name']], ['clerk', 'pay'], 'who asks');
      equal(textField(asked, 'frame').split('.').length, 3, 'frames');
      const runId = textField(body, 'run_id');
      const elsewhere = await t.serve({ agents: agents(), store: server.store });
      const posted = await elsewhere.post(`/api/runs/${runId}/decisions`, [
        { interruption_id: textField(asked, 'id'), approved: true },
      ]);
      equal(posted.status, 202, 'the decision');
      const run = await ended(elsewhere, runId);
      equal([run.body['status'], run.body['response']], ['completed', 'All done.'], 'the run');
      equal(run.body['handoff_path'], ['front', 'desk', 'clerk'], 'path');
      equal(calls(), 1, 'payments');
    },
  );
}

/** An agent that finds its place in its script by what was said, as it must in another process. */
function placed(name: string, script: Script, tools: readonly Tool[]): Agent<unknown, unknown> {
  return scripted(name, [], { tools, model: scriptedModel(script, { by: 'conversation' }) }).agent;
}
