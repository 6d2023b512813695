import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fixture } from '../../test/client/processes.ts';
import { called, listed } from '../../test/client/runs.ts';
import { mcpJson } from './mcp-json.ts';
import { filledIn } from './variables.ts';

const [condition = '', server = ''] = fixture('odd-server.ts');

test('the servers of a file, with comments, and variables of the moment they are used', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mcp-'));
  const path = join(folder, 'mcp.json');
  await writeFile(
    path,
    `{
      // As an editor writes it: "quoted", and https://example.com.
      "servers": {
        "odd": { "type": "stdio", "command": "$NODE", "args": ["\${env:CONDITION}", "%SERVER%", "good"] },
        "later": { "type": "http", "url": "https://%HOST%/mcp", "headers": { "Authorization": "Bearer $TOKEN" } },
      },
    }`,
  );
  const environment: { [name: string]: string } = {};
  const sources = mcpJson(path, { environment, servers: { odd: { toolPrefix: true } } });
  expect(sources.map(({ name }) => name)).toEqual(['odd', 'later']);
  Object.assign(environment, { NODE: process.execPath, CONDITION: condition, SERVER: server });
  const { results, warnings } = await called(sources, [['odd_work', {}]]);
  expect(results).toMatchObject([{ isError: false }]);
  expect(warnings).toEqual([
    expect.stringContaining('server later, needs the environment variable HOST, which is not set.'),
  ]);
  await Promise.all(sources.map((source) => source.close()));
  await rm(folder, { recursive: true });
});

test.each<[object, RegExp]>([
  [{ server: {} }, /no option "server"\. Options: servers, mcpServers, inputs/],
  [{ servers: { a: { command: 'x', arg: [] } } }, /server a, has no option "arg"/],
  [{ servers: { a: { type: 'http', command: 'x' } } }, /server a, has no option "command"/],
  [{ servers: { a: { type: 'pipe' } } }, /mode "pipe"/],
  [{ servers: { a: {} } }, /has no command/],
  [{ servers: { a: { command: ['x'] } } }, /Write a text/],
  [{ servers: [] }, /has no servers/],
  [{ servers: {}, inputs: [{ id: 'key' }] }, /inputs, which an editor asks for/],
])('%j is refused', (content, says) => {
  expect(() => mcpJson(content)).toThrow(says);
});

test('a file that is not there, and options for a server that is not in it', () => {
  expect(() => mcpJson('/no/such/mcp.json')).toThrow(/cannot be read/);
  const content = { servers: { a: { command: 'x' } } };
  expect(() => mcpJson(content, { servers: { b: {} } })).toThrow(/"b".*Servers: a/);
  expect(() => mcpJson(content, { servers: { a: JSON.parse('{"timeout":5}') } })).toThrow(
    /timeoutMs/,
  );
});

test('credentials of a file do not travel in the open', async () => {
  const url = 'http://example.com/mcp';
  const [source] = mcpJson({ servers: { a: { url, headers: { authorization: 'Bearer x' } } } });
  if (source === undefined) throw new Error('There is no server.');
  await expect(listed(source)).rejects.toThrow(/in the open\. Use https/);
});

test('variables are filled in; signs and characters of URLs stay', () => {
  const environment = { A: 'one', B_2: 'two' };
  const fill = (text: string): string => filledIn('x', text, environment);
  expect(fill('$A-${A}-${env:B_2}-%B_2%')).toBe('one-one-two-two');
  expect(fill('https://h/a%20b%C3%A4?x=%2F')).toBe('https://h/a%20b%C3%A4?x=%2F');
  expect(fill('5 $$ and 100%%, $5')).toBe('5 $ and 100%, $5');
  expect(() => fill('$MISSING')).toThrow(
    'x needs the environment variable MISSING, which is not set.',
  );
  expect(() => fill('${input:key}')).toThrow(/only an editor can fill in/);
});
