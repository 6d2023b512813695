import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build, printedByStart, shownInReadme, startWorker } from 'demo-model/testing';
import { expect, test } from 'vitest';

const folder = fileURLToPath(new URL('..', import.meta.url));

test('npm start has the conversation that the README shows', async () => {
  expect(await printedByStart(folder)).toBe(shownInReadme(folder));
});

test('the commands of the README are answered as it says', async () => {
  await using currency = await serveCurrency();
  const readme = readFileSync(`${folder}/README.md`, 'utf8');
  const script = /```sh\n(agent=.*?)```/s.exec(readme)?.[1] ?? '';
  const { stdout } = await promisify(execFile)('bash', [
    '-euo',
    'pipefail',
    '-c',
    script.replace('http://127.0.0.1:7072', currency.url).replaceAll('\n\n#', '\necho\n#'),
  ]);
  const [card, sent, ...rest] = stdout.split('\n').filter((line) => line !== '');
  expect(JSON.parse(card ?? '')).toMatchObject({
    name: 'currency_agent',
    skills: expect.arrayContaining([expect.objectContaining({ name: 'convert_currency' })]),
  });
  expect(JSON.parse(sent ?? '')).toMatchObject({
    task: {
      status: { state: 'TASK_STATE_COMPLETED' },
      artifacts: [{ parts: [{ text: '100 USD are 85.47 EUR.' }] }],
    },
  });
  const text = rest.join('\n');
  expect(text).toMatch(/^data: .*"artifactUpdate"/m);
  expect(text).toContain('TASK_STATE_INPUT_REQUIRED');
  expect(text.trimEnd()).toMatch(/"state":"TASK_STATE_CANCELED".*$/);
});

test('in a Functions worker the currency agent is there for others', async () => {
  build(folder);
  await using host = await startWorker(folder);
  const card = await fetch(`${host.url}/.well-known/agent-card.json`);
  expect(await card.json()).toMatchObject({ name: 'currency_agent' });
});

async function serveCurrency() {
  const child = spawn(
    process.execPath,
    ['--conditions=@agent-functions/source', 'src/currency/serve.ts', '--port', '0'],
    { cwd: folder, env: { ...process.env }, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const end = async (): Promise<void> => {
    child.kill('SIGTERM');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  };
  for await (const line of createInterface({ input: child.stdout })) {
    const [, url] = /^serves at (.*)$/.exec(line) ?? [];
    if (url !== undefined) return { url, [Symbol.asyncDispose]: end };
  }
  throw new Error('It ended without serving.');
}
