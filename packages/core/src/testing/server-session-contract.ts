import { isJsonObject } from '../json.ts';
import { equal, ok } from './assert.ts';
import { countingTool, handsOff, scripted, textField, type ServerCase } from './server-fixture.ts';

/** Conversations: who has their next turn, a new beginning under the same id, and their end. */
export function serverSessionContract(define: ServerCase): void {
  define(
    'gives the next message to whom the session was handed; another name switches',
    async (t) => {
      const billing = scripted('billing', ['One.', 'Two.', 'Three.']);
      const desk = scripted('desk', [handsOff('billing', 'Take over.'), 'Desk again.'], {
        handoffs: [billing.agent],
      });
      const server = await t.serve({ agents: [desk.agent, billing.agent] });
      const first = await server.chat('desk', { message: 'First' });
      const session_id = textField(first.body, 'session_id');
      const says = async (agent: string, message: string) => {
        const { body } = await server.chat(agent, { message, session_id });
        return [body['response'], body['handoff_path'], body['hops']];
      };
      equal(await says('desk', 'Second'), ['Two.', ['billing'], []], 'the same name');
      equal(await says('billing', 'Third'), ['Three.', ['billing'], []], 'another name');
      equal(await says('desk', 'Fourth'), ['Desk again.', ['desk'], []], 'the first name again');
      equal(desk.model.calls, 2, 'calls of the first agent');
    },
  );

  define('begins a conversation anew under its id where the caller asks for it', async (t) => {
    const billing = scripted('billing', ['Billing.']);
    const desk = scripted('desk', [handsOff('billing', 'Take over.'), 'A new day.'], {
      handoffs: [billing.agent],
    });
    const server = await t.serve({ agents: [desk.agent] });
    const session_id = textField((await server.chat('desk', { message: 'Hi' })).body, 'session_id');
    const { body } = await server.chat('desk', {
      message: 'Again',
      conversation_id: session_id,
      reset_conversation: true,
    });
    equal([body['response'], body['session_id']], ['A new day.', session_id], 'answer');
    equal(desk.model.requests[1]?.messages.length, 1, 'messages that the first agent saw');
    const nothing = await server.chat('desk', { message: 'Hi', reset_conversation: true });
    equal(nothing.status, 400, 'without session_id');
    const wrong = await server.chat('desk', { message: 'Hi', session_id, reset_conversation: 1 });
    equal(wrong.status, 400, 'no boolean');
    equal(desk.model.calls, 2, 'model calls');
  });

  define(
    'resets no conversation that works or waits, unless the message supersedes it',
    async (t) => {
      const { tool } = countingTool('pay', { needsApproval: true });
      const payer = scripted('payer', [{ calls: [['pay', { amount: 3 }]] }, 'A new day.'], {
        tools: [tool],
      });
      const server = await t.serve({ agents: [payer.agent] });
      const first = await server.chat('payer', { message: 'Pay' });
      const session_id = textField(first.body, 'session_id');
      const again = { message: 'Again', session_id, reset_conversation: true };
      const busy = await server.chat('payer', again);
      equal([busy.status, busy.body['code']], [409, 'session_busy'], 'busy');
      ok(isJsonObject(busy.body['active_run']), 'active_run');
      const { status, body } = await server.chat('payer', { ...again, if_busy: 'supersede' });
      equal([status, body['response']], [200, 'A new day.'], 'superseded');
      equal(payer.model.requests[1]?.messages.length, 1, 'messages that the model saw');
    },
  );

  define('resets no conversation of somebody else', async (t) => {
    const { agent, model } = scripted('echo', () => 'Hello.');
    const server = await t.serve({
      agents: [agent],
      authenticate: ({ headers }) => ({ id: headers.get('x-user') ?? 'nobody' }),
    });
    const alice = { 'x-user': 'alice' };
    await server.chat('echo', { message: 'One', session_id: 'hers' }, alice);
    const reset = { message: 'Two', session_id: 'hers', reset_conversation: true };
    equal((await server.chat('echo', reset, { 'x-user': 'bob' })).status, 404, 'a stranger');
    await server.chat('echo', { message: 'Three', session_id: 'hers' }, alice);
    equal(model.requests[1]?.messages.length, 3, 'messages that are there');
  });

  define('says what to do when an agent has ended the conversation', async (t) => {
    const bye = scripted('bye', ['Goodbye.']);
    const desk = scripted('desk', [handsOff('bye', 'They leave.'), 'Welcome back.'], {
      handoffConfig: {
        mode: 'swarm',
        defaultReturn: 'end_conversation',
        targets: [{ agentName: 'bye' }],
      },
    });
    const server = await t.serve({ agents: [desk.agent, bye.agent] });
    const first = await server.chat('desk', { message: 'Bye' });
    equal([first.status, first.body['response']], [200, 'Goodbye.'], 'the last answer');
    const session_id = textField(first.body, 'session_id');
    for (const accept of ['application/json', 'text/event-stream']) {
      const { status, body } = await server.chat('desk', { message: 'Hi', session_id }, { accept });
      equal([status, body['code']], [409, 'session_closed'], accept);
      ok(textField(body, 'detail').includes('reset_conversation'), 'what to do');
    }
    const { body } = await server.chat('desk', {
      message: 'Hi',
      session_id,
      reset_conversation: true,
    });
    equal(body['response'], 'Welcome back.', 'after a reset');
  });
}
