import { isJsonArray, isJsonObject } from '../json.ts';
import { equal, ok } from './assert.ts';
import { gate } from './gate.ts';
import { countingTool, postInit, scripted, textField, type ServerCase } from './server-fixture.ts';

/** Agents, health, and chat as JSON. */
export function serverChatContract(define: ServerCase): void {
  define('lists agents with description, version, number of tools and links', async (t) => {
    const { tool } = countingTool('look');
    const { agent } = scripted('weather', [], { tools: [tool] });
    const server = await t.serve({ agents: [agent] });
    const { status, body, headers } = await server.get('/api/agents');
    equal(status, 200, 'status');
    equal(headers.get('content-type'), 'application/json', 'content type');
    equal(
      body,
      {
        agents: [
          {
            name: 'weather',
            description: '',
            version: '1.0.0',
            tools: 1,
            links: { info: '/api/agents/weather/info', chat: '/api/agents/weather/chat' },
          },
        ],
        total: 1,
      },
      'body',
    );
    const info = await server.get('/api/agents/weather/info');
    equal([info.status, info.body['name'], info.body['tools']], [200, 'weather', 1], 'info');
    const short = await server.get('/api/weather/info');
    equal(short.body, info.body, 'the short form');
  });

  define('is alive, and ready when every model is', async (t) => {
    const { agent } = scripted('one', []);
    const server = await t.serve({ agents: [agent] });
    const alive = await server.get('/api/health');
    equal([alive.status, alive.body], [200, { status: 'ok' }], 'health');
    const ready = await server.get('/api/health/ready');
    equal([ready.status, ready.body['status']], [200, 'ready'], 'ready');
  });

  define('answers a chat with the result of the run, its tools and its usage', async (t) => {
    const { tool } = countingTool('get_weather');
    const { agent, model } = scripted(
      'weather',
      [{ calls: [['get_weather', { city: 'Seattle' }]] }, 'It rains.'],
      { tools: [tool] },
    );
    const server = await t.serve({ agents: [agent] });
    const { status, body } = await server.chat('weather', {
      message: 'What is the weather in Seattle?',
      context: { tenant: 'a' },
    });
    equal(status, 200, 'status');
    const { run_id, session_id, conversation_id, timestamp, ...rest } = body;
    ok(typeof run_id === 'string' && run_id.length >= 26, 'run_id is long');
    ok(typeof session_id === 'string' && session_id.length >= 26, 'session_id is long');
    equal(conversation_id, session_id, 'conversation_id');
    ok(typeof timestamp === 'string' && !Number.isNaN(Date.parse(timestamp)), 'timestamp');
    equal(
      rest,
      {
        status: 'completed',
        agent: 'weather',
        response: 'It rains.',
        handoff_path: ['weather'],
        hops: [],
        tool_results: [
          {
            call_id: 'f0.t1.c1',
            tool: 'get_weather',
            arguments: { city: 'Seattle' },
            result: { done: { city: 'Seattle' } },
            is_error: false,
          },
        ],
        usage: { requests: 2, input_tokens: 20, output_tokens: 10, total_tokens: 30 },
        finish_reason: 'stop',
        context: { tenant: 'a' },
      },
      'body',
    );
    equal(model.calls, 2, 'model calls');
  });

  define('answers the short form as it answers the long one', async (t) => {
    const { agent } = scripted('echo', () => 'Hello.');
    const server = await t.serve({ agents: [agent] });
    const { status, body } = await server.post('/api/echo/chat', { message: 'Hi' });
    equal([status, body['response']], [200, 'Hello.'], 'answer');
  });

  define('goes on with a session that it gave out, and with its other name', async (t) => {
    const { agent, model } = scripted('echo', () => 'Hello.');
    const server = await t.serve({ agents: [agent] });
    const first = await server.chat('echo', { message: 'One' });
    const id = textField(first.body, 'session_id');
    const second = await server.chat('echo', { message: 'Two', session_id: id });
    equal([second.status, second.body['session_id']], [200, id], 'second');
    const third = await server.chat('echo', { message: 'Three', conversation_id: id });
    equal([third.status, third.body['conversation_id']], [200, id], 'third');
    equal(
      model.requests.map((request) => request.messages.length),
      [1, 3, 5],
      'messages that the model saw',
    );
  });

  define('takes messages and parts of content', async (t) => {
    const { agent, model } = scripted('echo', () => 'Hello.');
    const server = await t.serve({ agents: [agent] });
    const { status } = await server.chat('echo', {
      messages: [
        { role: 'user', content: 'Hi' },
        { role: 'assistant', content: 'Hello.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What is this?' },
            { type: 'file', media_type: 'image/png', data: 'iVBORw0KGgo=' },
          ],
        },
      ],
    });
    equal(status, 200, 'status');
    const [request] = model.requests;
    equal(
      request?.messages.map((message) => message.role),
      ['user', 'assistant', 'user'],
      'roles',
    );
    equal(
      request?.messages[2]?.parts.map((part) => part.type),
      ['text', 'file'],
      'parts',
    );
  });

  define('answers 200 with stop_reason when a limit ends the run', async (t) => {
    const { tool } = countingTool('again');
    const { agent } = scripted('loop', () => ({ calls: [['again', {}]] }), {
      tools: [tool],
      maxTurns: 2,
    });
    const server = await t.serve({ agents: [agent] });
    const { status, body } = await server.chat('loop', { message: 'Go' });
    equal([status, body['status'], body['stop_reason']], [200, 'stopped', 'max_turns'], 'answer');
  });

  define('never answers 200 for a run that failed, and keeps the reason inside', async (t) => {
    const { agent } = scripted('broken', () => new Error('canary-7f3: password is hunter2'));
    const server = await t.serve({ agents: [agent] });
    const { status, body, text, headers } = await server.chat('broken', { message: 'Go' });
    ok(status >= 500, `status is ${status}`);
    equal(headers.get('content-type'), 'application/problem+json', 'content type');
    const runId = textField(body, 'run_id');
    ok(!text.includes('canary-7f3'), 'the body does not tell the reason');
    ok(
      t.log.some((line) => line.includes('canary-7f3') && line.includes(runId)),
      'the log tells the reason',
    );
    const run = await server.get(`/api/runs/${runId}`);
    equal([run.status, run.body['status']], [200, 'failed'], 'the run');
    ok(!run.text.includes('canary-7f3'), 'the run does not tell the reason');
    const events = await server.request(`/api/runs/${runId}/events`);
    ok(!(await events.text()).includes('canary-7f3'), 'the events do not tell the reason');
  });

  define('refuses a second message while the session works, and names the run', async (t) => {
    const held = gate();
    const { agent, model } = scripted('slow', [{ text: 'Done.', before: held }, 'Later.']);
    const server = await t.serve({ agents: [agent], onDisconnect: 'continue' });
    const first = await server.chat('slow', { message: 'One', session_id: 'x' }).then((x) => x);
    equal(first.status, 404, 'an unknown session is refused');

    const opening = scripted('open', () => 'Hi.');
    const shared = await t.serve({
      agents: [agent, opening.agent],
      store: server.store,
      onDisconnect: 'continue',
    });
    const { body } = await shared.chat('open', { message: 'Begin' });
    const session = textField(body, 'session_id');
    const working = shared.chat('slow', { message: 'One', session_id: session });
    await held.reached;
    const busy = await shared.chat('slow', { message: 'Two', session_id: session });
    equal([busy.status, busy.body['code']], [409, 'session_busy'], 'busy');
    const active = busy.body['active_run'];
    ok(isJsonObject(active), 'active_run');
    equal(active['status'], 'running', 'active_run.status');
    held.open();
    const done = await working;
    equal([done.status, done.body['run_id']], [200, active['run_id']], 'the first answer');
    equal(model.calls, 1, 'model calls');
  });

  define('cancels the run that waits when a message supersedes it', async (t) => {
    const { tool, calls } = countingTool('pay', { needsApproval: true });
    const { agent } = scripted('payer', [{ calls: [['pay', { amount: 3 }]] }, 'Something else.'], {
      tools: [tool],
    });
    const server = await t.serve({ agents: [agent] });
    const { body } = await server.chat('payer', { message: 'Pay' });
    equal(body['status'], 'interrupted', 'first');
    const session = textField(body, 'session_id');
    const second = await server.chat('payer', {
      message: 'Forget it',
      session_id: session,
      if_busy: 'supersede',
    });
    equal([second.status, second.body['response']], [200, 'Something else.'], 'second');
    const run = await server.get(`/api/runs/${textField(body, 'run_id')}`);
    equal(run.body['status'], 'cancelled', 'the first run');
    equal(calls(), 0, 'payments');
  });

  define('tells which interruptions are open when the session waits', async (t) => {
    const { tool } = countingTool('pay', { needsApproval: true });
    const { agent } = scripted('payer', [{ calls: [['pay', { amount: 3 }]] }], { tools: [tool] });
    const server = await t.serve({ agents: [agent] });
    const { body } = await server.chat('payer', { message: 'Pay' });
    const session = textField(body, 'session_id');
    for (const accept of ['application/json', 'text/event-stream']) {
      const busy = await server.chat('payer', { message: 'And?', session_id: session }, { accept });
      equal(busy.status, 409, `status for ${accept}`);
      const active = busy.body['active_run'];
      ok(isJsonObject(active) && isJsonArray(active['interruptions']), 'open interruptions');
      equal(active['interruptions'], body['interruptions'], 'interruptions');
    }
  });

  define('has no chat for an agent that is reached by others only', async (t) => {
    const { agent, model } = scripted('inner', [], { enableConversationalAgent: false });
    const server = await t.serve({ agents: [agent] });
    for (const path of ['/api/agents/inner/chat', '/api/inner/chat']) {
      const { status, body } = await server.post(path, { message: 'Hi' });
      equal([status, body['code']], [404, 'not_conversational'], path);
    }
    equal(model.calls, 0, 'model calls');
  });

  define('streams by each of its three switches, by default where the agent says so', async (t) => {
    const quiet = scripted('quiet', () => 'Hello.');
    const loud = scripted('loud', () => 'Hello.', { streaming: true });
    const server = await t.serve({ agents: [quiet.agent, loud.agent] });
    const typeOf = async (agent: string, body: object, headers: Record<string, string>) => {
      const response = await server.request(
        `/api/agents/${agent}/chat`,
        postInit({ message: 'Hi', ...body }, headers),
      );
      await response.text();
      return response.headers.get('content-type');
    };
    const sse = 'text/event-stream';
    const json = 'application/json';
    equal(await typeOf('quiet', {}, {}), json, 'nothing asked');
    equal(await typeOf('quiet', {}, { accept: '*/*' }), json, 'anything accepted');
    equal(await typeOf('quiet', {}, { accept: sse }), sse, 'Accept');
    equal(await typeOf('quiet', { stream: true }, {}), sse, 'stream');
    equal(await typeOf('quiet', {}, { 'x-stream': 'true' }), sse, 'X-Stream');
    equal(await typeOf('loud', {}, {}), sse, 'default of the agent');
    equal(await typeOf('loud', { stream: false }, {}), json, 'stream: false');
    equal(await typeOf('loud', {}, { accept: json }), json, 'Accept JSON');
    equal(await typeOf('loud', {}, { 'x-stream': 'false' }), json, 'X-Stream: false');
  });
}
