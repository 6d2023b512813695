import { expect, test } from 'vitest';
import { fixture } from '../../test/client/processes.ts';
import { called, listed } from '../../test/client/runs.ts';
import { MCPServer, mcpTools } from './mcp-server.ts';
import { MCPServerMode } from './mode.ts';
import { programOf } from './program.ts';
import { stdioReach } from './settings.ts';
import { toolNames } from './tool-names.ts';

/** What plain JavaScript may hand over. */
function made(config: unknown): () => unknown {
  return () => Reflect.construct(MCPServer, [config]);
}

test.each<[unknown, RegExp]>([
  [undefined, /not an object with options/],
  [{ mode: 'stdio' }, /has no name/],
  [{ name: 'a', mode: 'pipe' }, /has mode "pipe"\. Modes: 'stdio'/],
  [{ name: 'a', mode: 'sse' }, /params of a has no url/],
  [
    { name: 'a', mode: 'sse', params: { url: 'x', timeout: 5 } },
    /no option timeout.*Write timeoutMs, in milliseconds/,
  ],
  [{ name: 'a', mode: 'sse', params: { url: 'x', sseReadTimeout: 5 } }, /Write sseReadTimeoutMs/],
  [
    { name: 'a', mode: 'http', params: { url: 'https://a', sessionUrl: 'https://a' } },
    /both url and sessionUrl/,
  ],
  [{ name: 'a', mode: 'http', params: { url: 'ftp://a' } }, /Write it with http/],
  [{ name: 'a', mode: 'stdio', params: { url: 'https://a' } }, /params of a has no option "url"/],
  [
    { name: 'a', mode: 'stdio', params: { command: 'x', encoding: 'nope' } },
    /one that TextDecoder knows/,
  ],
  [{ name: 'a', mode: 'stdio', params: { command: 'x', args: 'y' } }, /args.*list of texts/],
  [{ name: 'a', mode: 'stdio', timeoutMs: -1 }, /timeoutMs: -1\. Write milliseconds, above 0/],
  [{ name: 'a', mode: 'stdio', needsApproval: 'sometimes' }, /Write 'always', 'never'/],
  [{ name: 'a', mode: 'stdio', allowedTool: ['x'] }, /no option "allowedTool"/],
  [{ name: 'a', mode: 'stdio', effects: { x: 'twice' } }, /'read', 'idempotent' or 'once'/],
  [
    { name: 'a', mode: 'http', params: { url: 'https://a', scope: 's' } },
    /a scope without credential/,
  ],
])('new MCPServer(%j) is refused', (config, says) => {
  expect(made(config)).toThrow(says);
});

test('mcpTools() takes one of client, url and command', () => {
  expect(() => mcpTools(JSON.parse('{}'))).toThrow(/has no server\. Give it one of client/);
  expect(() => mcpTools(JSON.parse('{"url":"https://a","command":"b"}'))).toThrow(
    /has url and command/,
  );
  expect(mcpTools({ url: 'https://tools.example.com/mcp' }).name).toBe('tools.example.com');
  expect(mcpTools({ command: '/usr/bin/server' }).name).toBe('server');
});

test('modes are taken in any spelling', () => {
  const params = { url: 'https://a' };
  for (const mode of ['STREAMABLE_HTTP', 'streamable-http', 'streamableHttp', 'http']) {
    expect(made({ name: 'a', mode, params })).not.toThrow();
  }
  expect(MCPServerMode).toEqual({ STDIO: 'stdio', SSE: 'sse', STREAMABLE_HTTP: 'streamable_http' });
});

test('without a command, MCP_SERVER_PATH names the program, run by what runs such files', () => {
  const reach = stdioReach({ args: ['--fast'] });
  const program = (path: string) => programOf(reach, { MCP_SERVER_PATH: path });
  expect(program('/a/server.ts')).toEqual({
    command: process.execPath,
    args: ['/a/server.ts', '--fast'],
  });
  expect(program('/a/server.py').args).toEqual(['/a/server.py', '--fast']);
  expect(program('/a/server')).toEqual({ command: '/a/server', args: ['--fast'] });
  expect(() => programOf(reach, {})).toThrow(/set MCP_SERVER_PATH to its file/);
});

test('names are what every model takes, and the same each time', () => {
  expect(toolNames(['read_file', 'get-sum'])).toEqual(['read_file', 'get-sum']);
  expect(toolNames(['files/read', '_private', '2d.plot', 'größe'])).toEqual([
    'files_read',
    'tool__private',
    'tool_2d_plot',
    'gr__e',
  ]);
  const [kept, changed] = toolNames(['a_b', 'a.b']);
  expect(kept).toBe('a_b');
  expect(changed).toMatch(/^a_b_[0-9a-f]{6}$/);
  expect(toolNames(['a.b', 'a_b'])).toEqual([changed, kept]);
  const long = toolNames(['x'.repeat(90), `${'x'.repeat(89)}y`]);
  expect(new Set(long).size).toBe(2);
  for (const name of long) expect(name).toMatch(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/);
  expect(toolNames(['search'], 'git_')).toEqual(['git_search']);
});

function odd() {
  return mcpTools({
    name: 'odd server',
    command: process.execPath,
    args: [...fixture('odd-server.ts'), 'good'],
  });
}

test('agents share a connection, each with tools, names and approvals of its own', async () => {
  const server = odd();
  const asked: string[] = [];
  const names = async (source: Parameters<typeof listed>[0], agent?: string) =>
    (await listed(source, agent)).map(({ name }) => name);
  expect(await names(server)).toEqual(['work', 'rest']);
  expect(await names(server.view({ allowedTools: ['rest'] }))).toEqual(['rest']);
  expect(await names(server.view({ deniedTools: ['rest'], toolPrefix: true }))).toEqual([
    'odd_server_work',
  ]);
  const filtered = server.view({
    toolFilter: ({ name }, { agent }) => {
      asked.push(agent);
      return name === agent;
    },
  });
  expect(await names(filtered, 'rest')).toEqual(['rest']);
  expect(await names(filtered, 'work')).toEqual(['work']);
  expect(asked).toEqual(['rest', 'rest', 'work', 'work']);
  expect(() => server.view(JSON.parse('{"timeoutMs":5}'))).toThrow(/no option "timeoutMs"/);

  const guarded = server.view({
    needsApproval: {
      rest: 'always',
      '*': ({ toolName, input }) => toolName === 'work' && JSON.stringify(input) === '{"bytes":1}',
    },
  });
  const { result } = await called(
    [guarded],
    [
      ['rest', {}],
      ['work', { bytes: 1 }],
      ['work', {}],
    ],
  );
  expect(result.interruptions.map(({ kind, toolName, input }) => [kind, toolName, input])).toEqual([
    ['approval', 'rest', {}],
    ['approval', 'work', { bytes: 1 }],
  ]);
  await server.close();
});

test('what a server claims of its tools counts only where it is trusted', async () => {
  const server = (trusted: boolean) =>
    mcpTools({
      command: process.execPath,
      args: [...fixture('second-line-server.ts'), 'stdio'],
      trusted,
      effects: { add: 'idempotent' },
    });
  const effects = async (trusted: boolean) => {
    const source = server(trusted);
    const tools = await listed(source);
    await source.close();
    return Object.fromEntries(
      tools.map(({ name, effect, effectDeclared }) => [name, [effect, effectDeclared]]),
    );
  };
  expect(await effects(false)).toMatchObject({ count: ['once', false], add: ['idempotent', true] });
  expect(await effects(true)).toMatchObject({
    count: ['read', true],
    add: ['idempotent', true],
    fail: ['once', false],
  });
});
