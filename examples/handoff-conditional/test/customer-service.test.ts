import { fileURLToPath } from 'node:url';
import { textOf, type ModelRequest } from '@agent-functions/core';
import { build, printedByStart, recorder, shownInReadme, startWorker } from 'demo-model/testing';
import { expect, test } from 'vitest';
import { app } from '../src/app.ts';
import { conversation } from '../src/conversation.ts';

const folder = fileURLToPath(new URL('..', import.meta.url));
const [hello, error, invoice, price, angry, vip] = conversation;
const desk = app.runners['customer_service'];

test('npm start has the conversations that the README shows', async () => {
  expect(await printedByStart(folder)).toBe(shownInReadme(folder));
});

test('the demo route answers who spoke, and why that one', async () => {
  const response = await app.fetch(new Request('http://localhost/api/demo/customer-service'));
  expect(response.status).toBe(200);
  const { turns }: { turns: { session_id: string }[] } = JSON.parse(await response.text());
  const routed = (to: string, reason: string) => ({
    agent: to,
    handoff_path: ['customer_service', to],
    hops: [{ from: 'customer_service', to, primitive: 'route', reason }],
  });
  expect(turns).toMatchObject([
    { agent: 'customer_service', handoff_path: ['customer_service'], hops: [] },
    routed('technical_agent', expect.stringContaining('Something does not work')),
    routed('billing_agent', expect.stringContaining('an invoice')),
    routed('sales_agent', expect.stringContaining('plans and prices')),
    routed('escalation_agent', 'its condition holds'),
    routed('escalation_agent', 'its condition holds'),
  ]);
  expect(turns).toMatchObject([
    { response: 'Hello! Support is open Monday to Friday, 8:00 to 18:00 UTC.' },
    { response: expect.stringContaining('mended in version 5.3; you have 5.2') },
    { response: expect.stringContaining('New is: storage, 50 GB (9.50 EUR).') },
    { response: 'The team plan for 5 people is 54.00 EUR a month, with your 10 % off.' },
    { response: expect.stringMatching(/^Ada, a person has your case C-\d+ .* 4 hours\.$/) },
    { response: expect.stringMatching(/^Grace, a person has your case C-\d+ .* an hour\.$/) },
  ]);
  expect(new Set(turns.map((turn) => turn.session_id)).size).toBe(2);
});

test('the demo route takes another conversation with its customer, and refuses what is none', async () => {
  const post = (body: unknown): Promise<Response> =>
    app.fetch(
      new Request('http://localhost/api/demo/customer-service', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    );
  const answer = await post({
    messages: ['Please explain my invoice.', 'How much is the basic plan for 3 people?'],
    context: { account_id: 'AC-2001', customer_tier: 'standard' },
  });
  expect(await answer.json()).toMatchObject({
    turns: [
      { agent: 'billing_agent', response: 'The invoice of 2027-06 is 720.00 EUR.' },
      { agent: 'sales_agent', response: 'The basic plan for 3 people is 15.00 EUR a month.' },
    ],
  });
  expect((await post({ messages: [] })).status).toBe(400);
  expect((await post({ messages: ['Hello'], context: 'Ada' })).status).toBe(400);
});

test('billing is told the account, technical support is not, nor what billing said', async () => {
  const sessionId = 'who-knows-what';
  const { message: billed, context } = invoice;
  await desk?.run({ message: billed, context }, { sessionId });
  const recording = recorder();
  await desk?.run({ message: error.message, context }, { sessionId, middleware: [recording] });
  await desk?.run(
    { message: 'And the charge before?', context },
    { sessionId, middleware: [recording] },
  );

  const [technical] = recording.requests.get('technical_agent') ?? [];
  expect(technical?.instructions).toContain("The customer's app: 5.2.");
  expect(technical?.messages.map(textOf)).toEqual([billed, error.message]);
  expect(JSON.stringify(technical)).not.toMatch(/AC-1042|list_invoices|EUR/);
  expect(technical?.tools.map((tool) => tool.name)).toEqual(['look_up_error']);

  const [billing] = recording.requests.get('billing_agent') ?? [];
  expect(billing?.instructions).toContain('The customer is Ada, account AC-1042.');
  expect(billing?.instructions).not.toContain('5.2');
  expect(billing?.messages.map(textOf)).toEqual(
    expect.arrayContaining([
      billed,
      expect.stringContaining('storage, 50 GB'),
      expect.stringContaining('E-417'),
      'And the charge before?',
    ]),
  );
});

test('a function decides without a model; of the sentences the model is asked once for all', async () => {
  const asked = async ({ message, context }: typeof hello): Promise<readonly ModelRequest[]> => {
    const recording = recorder();
    await desk?.run({ message, context }, { middleware: [recording] });
    return recording.requests.get('customer_service') ?? [];
  };
  expect(await asked(angry)).toEqual([]);
  expect(await asked(vip)).toEqual([]);
  const [judged, ...more] = await asked(price);
  expect(more).toEqual([]);
  expect(judged?.output?.name).toBe('conditions');
  expect(judged?.messages.map(textOf).join('')).toMatch(
    /Request: And what would the team plan cost[^]*1\. Something does not work[^]*2\. It is about an invoice[^]*3\. The customer asks about plans/,
  );
  // None holds: the front desk's own turn comes after the judging.
  expect((await asked(hello)).map(({ output }) => output?.name)).toEqual(['conditions', undefined]);
});

test('judging is counted in the usage', async () => {
  const { message, context } = price;
  const result = await desk?.run({ message, context });
  // The judging, and two turns of the sales agent.
  expect(result?.usage.requests).toBe(3);
  expect(result?.response).toContain('54.00 EUR');
});

test('each message is routed anew: the front desk has the next one', async () => {
  const sessionId = 'anew';
  const { context } = angry;
  await desk?.run({ message: angry.message, context }, { sessionId });
  const next = await desk?.run({ message: 'Thank you.', context }, { sessionId });
  expect(next?.handoffPath).toEqual(['customer_service']);
  expect(next?.response).toBe('You are welcome.');
});

test('customers cannot write to a specialist', async () => {
  const response = await app.fetch(
    new Request('http://localhost/api/agents/billing_agent/chat', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ message: 'Hello', context: { account_id: 'AC-2001' } }),
    }),
  );
  expect(response.status).toBe(404);
  expect(await response.json()).toMatchObject({ code: 'not_conversational' });
});

test('in a Functions worker the same conversations take the same paths', async () => {
  build(folder);
  await using host = await startWorker(folder);
  const response = await fetch(`${host.url}/api/demo/customer-service`);
  const { turns }: { turns: { agent: string }[] } = JSON.parse(await response.text());
  expect(turns.map((turn) => turn.agent)).toEqual([
    'customer_service',
    'technical_agent',
    'billing_agent',
    'sales_agent',
    'escalation_agent',
    'escalation_agent',
  ]);
});
