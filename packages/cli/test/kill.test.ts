import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { AppFolder, Dev, processesOf, until } from './dev-process.ts';

// The first turn calls a tool that writes a line into a file; the second one hangs while the file `hang` is there.
const app = `
import { appendFileSync, existsSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { Agent, jsonSchema, tool } from '@agent-functions/core';
const usage = { inputTokens: 1, outputTokens: 1, totalTokens: 2 };
const model = {
  provider: 'test',
  modelId: 'slow',
  async *stream({ messages }, { signal }) {
    if (messages.at(-1).role !== 'tool') {
      const part = { type: 'tool-call', toolName: 'send', input: {} };
      yield { type: 'response', response: { parts: [part], usage, finishReason: 'tool-calls' } };
      return;
    }
    yield { type: 'text-delta', delta: 'It was ' };
    while (existsSync('hang')) await wait(20, undefined, { signal });
    yield { type: 'text-delta', delta: 'sent.' };
    const part = { type: 'text', text: 'It was sent.' };
    yield { type: 'response', response: { parts: [part], usage, finishReason: 'stop' } };
  },
};
const parameters = jsonSchema({ type: 'object' }, { validate: (value) => value });
export default new Agent({
  name: 'sender',
  model,
  tools: [
    tool({
      name: 'send',
      description: 'Sends it.',
      parameters,
      effect: 'once',
      execute: () => (appendFileSync('sent', 'x'), 'ok'),
    }),
  ],
});
`;

test('killed in the middle of an answer, the next start finishes the run, and a reconnect gets the rest', async () => {
  using folder = new AppFolder({ 'src/app.ts': app, hang: '' });
  const args = ['dev', '--port', '0'];
  const started = await startAnswer(folder.path, args);
  rmSync(join(folder.path, 'hang'));

  await using dev = new Dev(args, { cwd: folder.path });
  const url = await dev.url();
  const response = await fetch(`${url}${started.path}/events`, {
    headers: { 'last-event-id': started.lastEventId, accept: 'text/event-stream' },
  });
  expect(response.status).toBe(200);
  const rest = eventsOf(await response.text());
  expect(rest.map((event) => event.type)).toContain('run-resume');
  expect(rest.at(-1)).toMatchObject({ type: 'run-end' });
  // An id is the number of a recorded event, or that of the one before a delta.
  const recorded = rest.map((event) => event.id).filter((id) => /^\d+$/.test(id));
  expect(recorded.map(Number)).toEqual(
    recorded.map((_, index) => Number.parseInt(started.lastEventId, 10) + 1 + index),
  );

  const run: unknown = await (await fetch(`${url}${started.path}`)).json();
  expect(run).toMatchObject({ status: 'completed', response: 'It was sent.' });
  expect(readFileSync(join(folder.path, 'sent'), 'utf8'), 'the tool ran once').toBe('x');
  expect(dev.output).toContain('run taken up again');
});

test('a reload in the middle of an answer hands the run over: it goes on at once', async () => {
  using folder = new AppFolder({ 'src/app.ts': app, hang: '' });
  await using dev = new Dev(['dev', '--port', '0'], { cwd: folder.path });
  const url = await dev.url();
  const { path } = await askUntilItSpeaks(url, folder.path);
  folder.write('src/app.ts', `${app}\n`);
  await dev.url(2);
  const loaded = performance.now();
  rmSync(join(folder.path, 'hang'));
  await dev.says(/run completed/);
  expect(performance.now() - loaded, 'no lease had to lapse').toBeLessThan(4_500);
  expect(dev.output, 'the log counts on').toMatch(/turn 2 [^]*run completed .* 1 tool /);
  const run: unknown = await (await fetch(`${url}${path}`)).json();
  expect(run).toMatchObject({ status: 'completed', response: 'It was sent.' });
  expect(readFileSync(join(folder.path, 'sent'), 'utf8'), 'the tool ran once').toBe('x');
});

test.for(['a reload', 'a stop'])(
  '%s tells the clients of answers in flight where to go on',
  async (how) => {
    using folder = new AppFolder({ 'src/app.ts': app, hang: '' });
    const args = ['dev', '--port', '0'];
    await using dev = new Dev(args, { cwd: folder.path });
    const url = await dev.url();
    const stream = await ask(url, 'text/event-stream');
    const json = ask(url, 'application/json');
    await dev.says(/tool send/, 2);
    if (how === 'a reload') folder.write('src/app.ts', `${app}\n`);
    else dev.process.kill('SIGTERM');

    const text = await stream.text();
    expect(text).toMatch(/event: error\ndata: [^\n]*"code":"server_stopping"[^\n]*\n\n$/);
    const answer = await json;
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('1');
    expect(await answer.json()).toMatchObject({ code: 'server_stopping', links: {} });
    expect(dev.output).not.toContain('error:');

    rmSync(join(folder.path, 'hang'));
    await using again = how === 'a reload' ? dev : new Dev(args, { cwd: folder.path });
    await again.says(/run completed/, 2);
    expect(readFileSync(join(folder.path, 'sent'), 'utf8'), 'each tool ran once').toBe('xx');
  },
);

/** Asks, reads until the second turn speaks, then kills every process at once. */
async function startAnswer(
  folder: string,
  args: readonly string[],
): Promise<{ readonly path: string; readonly lastEventId: string }> {
  await using dev = new Dev(args, { cwd: folder });
  const started = await askUntilItSpeaks(await dev.url(), folder);
  for (const id of processesOf(folder)) process.kill(id, 'SIGKILL');
  dev.process.kill('SIGKILL');
  await dev.exitCode();
  return started;
}

const ask = (url: string, accept: string): Promise<Response> =>
  fetch(`${url}/api/agents/sender/chat`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept },
    body: JSON.stringify({ message: 'Send it.' }),
  });

async function askUntilItSpeaks(
  url: string,
  folder: string,
): Promise<{ readonly path: string; readonly lastEventId: string }> {
  const response = await ask(url, 'text/event-stream');
  expect(response.status).toBe(200);
  const location = response.headers.get('location') ?? '';
  let text = '';
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  while (!text.includes('It was ')) text += (await reader?.read())?.value ?? '';
  await until(
    () => existsSync(join(folder, 'sent')),
    () => 'the tool never ran',
  );
  // What comes after the cut is nobody's.
  reader?.closed.catch(() => undefined);
  const seen = eventsOf(text);
  expect(seen.map((event) => event.type)).toContain('tool-result');
  return { path: new URL(location, url).pathname, lastEventId: seen.at(-1)?.id ?? '' };
}

function eventsOf(text: string): readonly { readonly type: string; readonly id: string }[] {
  return text.split('\n\n').flatMap((block) => {
    const type = /^event: (.*)$/m.exec(block)?.[1];
    const id = /^id: (.*)$/m.exec(block)?.[1];
    return type === undefined || id === undefined ? [] : [{ type, id }];
  });
}
