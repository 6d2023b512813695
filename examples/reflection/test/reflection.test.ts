import { fileURLToPath } from 'node:url';
import { textOf } from '@agent-functions/core';
import { build, printedByStart, recorder, shownInReadme, startWorker } from 'demo-model/testing';
import { expect, test } from 'vitest';
import { app } from '../src/app.ts';
import { samples } from '../src/samples.ts';
import { withDrafts } from '../src/with-drafts.ts';

const folder = fileURLToPath(new URL('..', import.meta.url));
const [product, release] = samples;
const { product_writer: productWriter, release_writer: releaseWriter } = app.runners;

const best =
  'The Tern backpack: volume 20 litres, weight 480 g, fabric recycled nylon, warranty 5 years.';

const ask = (body: unknown): Promise<Response> =>
  app.fetch(
    new Request('http://localhost/api/demo/reflection', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }),
  );

test('npm start writes what the README shows', async () => {
  expect(await printedByStart(folder)).toBe(shownInReadme(folder));
});

test('a rewrite that is not better is dropped, the next one improves the best', async () => {
  const response = await ask(product);
  expect(response.status).toBe(200);
  expect(await response.json()).toMatchObject({
    status: 'completed',
    response: best,
    score: 1,
    kept: 4,
    drafts: [
      { better: true, feedback: expect.stringContaining('No fact says "best".') },
      { better: true, feedback: 'It has 23 words, 16 are allowed.' },
      { better: false, scores: { facts: 0.5, truth: 1, brevity: 1 } },
      { better: true, text: best, score: 1 },
    ],
    handoff_path: ['product_writer'],
    // Two for the first draft, two for each rewrite.
    model_calls: 8,
  });
});

test('where no rewrite gets there, the best draft is the answer', async () => {
  const response = await ask(release);
  const { drafts, ...rest } = JSON.parse(await response.text());
  expect(drafts).toMatchObject([
    { score: 0.4, better: true },
    { score: 0.875, better: true },
    { better: false, text: expect.not.stringContaining('#311'), feedback: 'Name #311, #324.' },
  ]);
  // Nobody asks a model to judge: a call of the tool, and three drafts.
  expect(rest).toMatchObject({ kept: 2, score: 0.875, response: drafts[1].text, model_calls: 4 });
});

test('a first draft that is good enough is not written again', async () => {
  const response = await ask({
    agent: 'product_writer',
    message:
      'Describe the Heron tent in at most 12 words. Do not praise it.\nFacts:\n- weight: 1.9 kg',
  });
  expect(await response.json()).toMatchObject({
    response: 'The Heron tent. Its weight is 1.9 kg.',
    drafts: [{ score: 1 }],
    model_calls: 2,
  });
});

test('writer and judge are asked in turn; what was dropped is not read again', async () => {
  const recording = recorder();
  await productWriter?.run(product.message, { middleware: [recording] });
  const requests = recording.requests.get('product_writer') ?? [];
  expect(requests.map(({ output }) => output?.name ?? 'draft')).toEqual(
    Array.from({ length: 4 }, () => ['draft', 'judgement']).flat(),
  );
  const [, judged] = requests;
  expect(judged?.instructions).toContain('You judge product descriptions');
  expect(judged?.messages.map(textOf).join('')).toMatch(
    /Describe the Tern backpack[^]*warranty: 5 years[^]*is the best you will ever own![^]*Score each from 0 \(bad\) to 1 \(perfect\): facts, truth, brevity/,
  );
  const last = requests.at(-2);
  expect(last?.messages.map(textOf)).toEqual([
    product.message,
    expect.stringContaining('is the best you will ever own!'),
    expect.stringContaining('Name the weight (480 g).'),
    expect.stringContaining('Its warranty is 5 years.'),
    expect.stringContaining('It has 23 words'),
    expect.stringContaining('is dropped. Name the fabric (recycled nylon).'),
  ]);
});

test('instructions and tools are there while it rewrites', async () => {
  const recording = recorder();
  await releaseWriter?.run(release.message, { middleware: [recording] });
  const requests = recording.requests.get('release_writer') ?? [];
  expect(requests).toHaveLength(4);
  for (const { instructions, tools } of requests) {
    expect(instructions).toContain('You write release notes');
    expect(tools.map(({ name }) => name)).toEqual(['list_changes']);
  }
});

test('runs side by side do not mix', async () => {
  if (productWriter === undefined) throw new Error('There is no such agent.');
  const runs = Array.from({ length: 5 }, (_, index) =>
    withDrafts(productWriter, product.message.replace('Tern', `Tern ${index}`)),
  );
  const done = await Promise.all(runs);
  for (const [index, run] of done.entries()) {
    expect(run.drafts.every(({ text }) => text.startsWith(`The Tern ${index} backpack`))).toBe(
      true,
    );
  }
});

test('the chat route streams the text that was kept, and answers how it was judged', async () => {
  const chat = (accept: string): Promise<Response> =>
    app.fetch(
      new Request('http://localhost/api/agents/product_writer/chat', {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept },
        body: JSON.stringify({ message: product.message }),
      }),
    );
  expect(await (await chat('application/json')).json()).toMatchObject({
    response: best,
    reflection: {
      score: 1,
      iterations: 3,
      history: [{ accepted: true }, { accepted: true }, { accepted: false }, { accepted: true }],
    },
  });
  const streamed = await (await chat('text/event-stream')).text();
  expect(streamed).toContain(best);
  expect(streamed).toContain('event: reflection');
  expect(streamed).not.toContain('you will ever own!');
});

test('the demo route refuses what it cannot ask', async () => {
  expect((await ask({ agent: 'nobody', message: 'Write.' })).status).toBe(400);
  expect((await ask({ agent: 'product_writer' })).status).toBe(400);
});

test('in a Functions worker the same drafts are kept', async () => {
  build(folder);
  await using host = await startWorker(folder);
  const response = await fetch(`${host.url}/api/demo/reflection`);
  expect(await response.json()).toMatchObject({
    runs: [
      { agent: 'product_writer', kept: 4, response: best },
      { agent: 'release_writer', kept: 2 },
    ],
  });
});
