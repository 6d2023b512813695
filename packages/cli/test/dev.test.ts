import { once } from 'node:events';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { AppFolder, answers, Dev, processesOf, until } from './dev-process.ts';

const model = `
const model = {
  provider: 'test',
  modelId: 'echo',
  async *stream({ messages }) {
    const asked = messages.at(-1).parts[0].text;
    yield { type: 'text-delta', delta: 'You said ' };
    yield {
      type: 'response',
      response: {
        parts: [{ type: 'text', text: 'You said ' + asked }],
        usage: { inputTokens: 3, outputTokens: 4, totalTokens: 7 },
        finishReason: 'stop',
      },
    };
  },
};`;

const app = (description: string): string => `
import { Agent, tool, jsonSchema } from '@agent-functions/core';
${model}
const noParameters = jsonSchema({ type: 'object' }, { validate: (value) => value });
export default new Agent({
  name: 'echo',
  description: ${JSON.stringify(description)},
  model,
  tools: [
    tool({ name: 'look', description: 'd', parameters: noParameters, effect: 'read', execute: () => 1 }),
    tool({ name: 'send', description: 'd', parameters: noParameters, execute: () => 1 }),
  ],
});
`;

const listAgents = async (url: string): Promise<unknown> =>
  (await fetch(`${url}/api/agents`)).json();

const ask = (url: string, message: string): Promise<Response> =>
  fetch(`${url}/api/agents/echo/chat`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ message }),
  });

test('an app file is served, with its store beside it and its routes and undeclared tools listed', async () => {
  using folder = new AppFolder({ 'src/app.ts': app('first') });
  await using dev = new Dev(['dev', '--port', '0'], { cwd: folder.path });
  const url = await dev.url();
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  expect(await listAgents(url)).toMatchObject({ agents: [{ name: 'echo' }], total: 1 });
  const answer = await ask(url, 'hello');
  expect(answer.status).toBe(200);
  expect(await answer.json()).toMatchObject({
    status: 'completed',
    response: 'You said hello',
    usage: { total_tokens: 7 },
  });
  await dev.says(/run completed/);
  expect(dev.output).toMatch(/turn 1 · test\/echo · \d+ ms · 3 in, 4 out/);
  expect(dev.output).toContain('effect undeclared: send (');
  expect(routesIn(dev.output)).toEqual([
    'GET /api/agents',
    'GET /api/agents/{name}/info',
    'GET /api/echo/info',
    'POST /api/agents/{name}/chat',
    'POST /api/echo/chat',
    'GET /api/health',
    'GET /api/health/ready',
    'GET /api/runs/{id}',
    'GET /api/runs/{id}/events',
    'POST /api/runs/{id}/cancel',
    'POST /api/runs/{id}/decisions',
    'POST /api/runs/{id}/approvals',
    'GET /api/sessions',
    'GET /api/sessions/{id}',
    'DELETE /api/sessions/{id}',
    'GET /api/openapi.json',
  ]);
  expect(existsSync(join(folder.path, '.agent-functions/dev.db'))).toBe(true);
  expect(readFileSync(join(folder.path, '.agent-functions/.gitignore'), 'utf8')).toBe('*\n');
  expect(dev.output, 'no colours into a pipe').not.toContain('\u001B[');
});

test('a change is served; a file that does not load is shown and the next save tries again', async () => {
  using folder = new AppFolder({ 'src/app.ts': app('first') });
  await using dev = new Dev(['dev', 'src/app.ts', '--port', '0', '--store', 'memory'], {
    cwd: folder.path,
  });
  const url = await dev.url();
  expect(await listAgents(url)).toMatchObject({ agents: [{ description: 'first' }] });

  folder.write('src/app.ts', app('second'));
  expect(await dev.url(2), 'the port stays').toBe(url);
  expect(await listAgents(url)).toMatchObject({ agents: [{ description: 'second' }] });

  folder.write('src/app.ts', 'this is not TypeScript');
  await dev.says(/src\/app\.ts does not load/);
  await dev.says(/Waiting for a change/);

  folder.write('src/app.ts', app('third'));
  expect(await dev.url(3)).toBe(url);
  expect(await listAgents(url)).toMatchObject({ agents: [{ description: 'third' }] });
});

test.for(['SIGINT', 'SIGTERM'] as const)(
  '%s ends it at once: no process is left, the port is free',
  async (signal) => {
    using folder = new AppFolder({ 'src/app.ts': app('first') });
    await using dev = new Dev(['dev', '--port', '0'], { cwd: folder.path });
    const url = await dev.url();
    expect(processesOf(folder.path)).toHaveLength(1);
    const asked = performance.now();
    dev.process.kill(signal);
    expect(await dev.exitCode()).toBe(0);
    expect(performance.now() - asked).toBeLessThan(3_000);
    expect(await answers(url)).toBe(false);
    expect(processesOf(folder.path)).toEqual([]);
  },
);

test('when the supervisor is killed, the app ends with it', async () => {
  using folder = new AppFolder({ 'src/app.ts': app('first') });
  await using dev = new Dev(['dev', '--port', '0'], { cwd: folder.path });
  await dev.url();
  dev.process.kill('SIGKILL');
  await until(
    () => processesOf(folder.path).length === 0,
    () => `still there: ${processesOf(folder.path).join()}`,
  );
});

test('a port in use is a sentence with another port to take', async () => {
  using folder = new AppFolder({ 'src/app.ts': app('first') });
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const address = other.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  await using dev = new Dev(['dev', '--port', String(port)], { cwd: folder.path });
  expect(await dev.exitCode()).toBe(1);
  expect(dev.output).toContain(`Port ${port} of 127.0.0.1 is in use.`);
  expect(dev.output).toContain(`--port ${port + 1}`);
  other.close();
});

test.for([
  ['an entry that is not there', ['dev', 'src/nothing.ts'], 1, 'There is no file src/nothing.ts.'],
  ['a folder without an app', ['dev', 'empty'], 1, 'There is no app file in empty'],
  ['a file of another kind', ['dev', 'notes.txt'], 1, 'neither TypeScript nor JavaScript'],
  ['a command that does not exist', ['deploy'], 2, 'There is no command deploy.'],
  ['an option that does not exist', ['dev', '--prot', '1'], 2, "Unknown option '--prot'"],
  ['a port that is none', ['dev', '--port', 'many'], 2, '--port many is not a port'],
] as const)('%s is a sentence', async ([, args, code, sentence]) => {
  using folder = new AppFolder({ 'notes.txt': '', 'empty/readme.md': '' });
  await using dev = new Dev(args, { cwd: folder.path });
  expect(await dev.exitCode()).toBe(code);
  expect(dev.output).toContain(sentence);
  expect(dev.output).not.toContain('    at ');
});

test('an entry that throws shows where; one that exports no app says what to export', async () => {
  using folder = new AppFolder({
    'throws.ts': `throw new Error('the database is away');`,
    'nothing.ts': `export const helper = 1;`,
    'enum.ts': `export enum A { B }`,
  });
  for (const [file, sentence] of [
    ['throws.ts', /the database is away[^]*throws\.ts:1/],
    ['nothing.ts', /exports no app \(it exports helper\)/],
    ['enum.ts', /erasableSyntaxOnly/],
  ] as const) {
    await using dev = new Dev(['dev', file, '--no-reload', '--port', '0'], { cwd: folder.path });
    expect(await dev.exitCode()).toBe(1);
    expect(dev.output).toMatch(sentence);
  }
});

test('settings come from the environment, then local.settings.json, then .env', async () => {
  using folder = new AppFolder({
    'local.settings.json': JSON.stringify({
      IsEncrypted: false,
      Values: { A: 'local', B: 'local' },
    }),
    '.env': 'A=dotenv\nB=dotenv\nC="dot env"\n',
    'src/app.ts': app('first').replace(
      '"first"',
      '[process.env.A, process.env.B, process.env.C].join()',
    ),
  });
  await using dev = new Dev(['dev', '--port', '0'], { cwd: folder.path, env: { A: 'shell' } });
  const url = await dev.url();
  expect(await listAgents(url)).toMatchObject({ agents: [{ description: 'shell,local,dot env' }] });
  expect(dev.output).toContain('settings: local.settings.json, .env');
});

test('a changed setting is read again', async () => {
  using folder = new AppFolder({
    '.env': 'A=one',
    'src/app.ts': app('first').replace('"first"', 'process.env.A'),
  });
  await using dev = new Dev(['dev', '--port', '0'], { cwd: folder.path });
  const url = await dev.url();
  folder.write('.env', 'A=two');
  await dev.url(2);
  expect(await listAgents(url)).toMatchObject({ agents: [{ description: 'two' }] });
});

test('an address that this machine does not have is a sentence', async () => {
  using folder = new AppFolder({ 'src/app.ts': app('first') });
  await using dev = new Dev(['dev', '--port', '0', '--host', '192.0.2.1'], { cwd: folder.path });
  expect(await dev.exitCode()).toBe(1);
  expect(dev.output).toContain('This machine has no address 192.0.2.1.');
  expect(dev.output).not.toMatch(/does not load|\n {4}at /);
});

test.for([
  ['the folder of the store', [], { '.agent-functions': 'a file' }],
  ['--store', ['--store', 'taken/runs.db'], { taken: 'a file' }],
] as const)(
  '%s cannot be written: the banner says it, without a stack',
  async ([, args, files]) => {
    using folder = new AppFolder({ 'src/app.ts': app('first'), ...files });
    await using dev = new Dev(['dev', '--port', '0', ...args], { cwd: folder.path });
    await dev.says(/The store cannot be used: .*--store memory/);
    await dev.url();
    expect(dev.output).not.toMatch(/does not load|\n {4}at |"stack"/);
  },
);

test.for([
  ['exit code 3', 'process.exit(3)'],
  ['SIGKILL', "process.kill(process.pid, 'SIGKILL')"],
] as const)('an app that ended by itself: %s', async ([how, end]) => {
  using folder = new AppFolder({ 'src/app.ts': `${app('first')}\nsetTimeout(() => ${end}, 50);` });
  await using dev = new Dev(['dev', '--port', '0'], { cwd: folder.path });
  await dev.says(new RegExp(`The app ended with ${how}\\.[^]*Waiting for a change`));
});

test('a request that names another host is refused, unless it is allowed', async () => {
  using folder = new AppFolder({ 'src/app.ts': app('first') });
  const args = ['dev', '--port', '0', '--allow-host', 'tunnel.test'];
  await using dev = new Dev(args, { cwd: folder.path });
  const url = await dev.url();
  const statusFor = async (host: string): Promise<number | undefined> => {
    const asked = request(`${url}/api/agents`, { headers: { host } }).end();
    const [response] = await once(asked, 'response');
    response.resume();
    return response.statusCode;
  };
  expect(await statusFor('evil.example')).toBe(403);
  expect(await statusFor('tunnel.test')).toBe(200);
  expect(await statusFor('localhost:7071')).toBe(200);
});

test('a run that fails is one line', async () => {
  const failing = app('first').replace(
    "yield { type: 'text-delta'",
    "throw new Error('The model is away.');\n    yield { type: 'text-delta'",
  );
  using folder = new AppFolder({ 'src/app.ts': failing });
  await using dev = new Dev(['dev', '--port', '0'], { cwd: folder.path });
  const answer = await ask(await dev.url(), 'hello');
  expect(answer.status).toBe(500);
  await dev.says(/run failed/);
  expect(dev.output.match(/The model is away\./g)).toHaveLength(1);
});

function routesIn(output: string): readonly string[] {
  return [...output.matchAll(/^ {2}(GET|POST|DELETE) +(\/\S+)$/gm)].map(
    ([, method, path]) => `${method} ${path}`,
  );
}
