/** Requests that must be refused, by what is wrong with them. */
export interface Malformed {
  readonly name: string;
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly status: number;
  /** A word of the detail: what to do, or which field. */
  readonly says: string;
}

const bytes = (...values: readonly (number | string)[]): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(
    values.flatMap((each) =>
      typeof each === 'number' ? [each] : [...new TextEncoder().encode(each)],
    ),
  );

const nested = (levels: number): string => `${'['.repeat(levels)}${']'.repeat(levels)}`;

const text = (name: string, body: string | Uint8Array<ArrayBuffer>, says: string): Malformed => ({
  name,
  body,
  says,
  status: 400,
});
const json = (name: string, body: unknown, says: string): Malformed =>
  text(name, JSON.stringify(body), says);
/** A decision of the wrong form. */
const form = (name: string, body: unknown, says: string): Malformed => ({
  ...json(name, body, says),
  status: 422,
});
const message = (name: string, value: unknown, says: string): Malformed =>
  json(`message: ${name}`, { message: value }, says);
const field = (key: string, value: unknown, says = key): Malformed =>
  json(`${key}: ${JSON.stringify(value)?.slice(0, 40)}`, { message: 'Hi', [key]: value }, says);
const messages = (name: string, value: unknown, says: string): Malformed =>
  json(`messages: ${name}`, { messages: value }, says);
const part = (name: string, value: unknown, says: string): Malformed =>
  message(name, [{ type: 'text', text: 'Hi' }, value], says);
const headers = (
  name: string,
  more: Record<string, string>,
  status: number,
  says: string,
): Malformed => ({ name, headers: more, body: '{"message":"Hi"}', status, says });
const file = { type: 'file', media_type: 'image/png' };

/** `POST /api/agents/echo/chat` unless it says otherwise. */
export const malformed: readonly Malformed[] = [
  // Bytes and JSON
  text('nothing', '', 'empty'),
  text('white space', '  \n', 'not valid JSON'),
  text('half an object', '{"message":"Hi"', 'not valid JSON'),
  text('two values', '{"message":"Hi"}{}', 'not valid JSON'),
  text('a trailing comma', '{"message":"Hi",}', 'not valid JSON'),
  text('single quotes', "{'message':'Hi'}", 'not valid JSON'),
  text('a comment', '{"message":"Hi"} // x', 'not valid JSON'),
  text('NaN', '{"message":NaN}', 'not valid JSON'),
  text('a raw line break', '{"message":"H\ni"}', 'not valid JSON'),
  text('form data', 'message=Hi', 'not valid JSON'),
  text('invalid UTF-8', bytes('{"message":"', 0xff, 0xfe, '"}'), 'UTF-8'),
  text('an overlong sequence', bytes('{"message":"', 0xc0, 0xaf, '"}'), 'UTF-8'),
  text('a cut sequence', bytes('{"message":"', 0xf0, 0x9f, 0x98, '"}'), 'UTF-8'),
  text('a surrogate in UTF-8', bytes('{"message":"', 0xed, 0xa0, 0x80, '"}'), 'UTF-8'),
  text('UTF-16', bytes(0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00), 'UTF-8'),
  text('a zero byte', bytes('{"message":"Hi"}', 0), 'not valid JSON'),
  text('101 levels', `{"message":"Hi","context":{"a":${nested(101)}}}`, 'nested deeper'),
  text('10,000 levels', nested(10_000), 'nested deeper'),
  json('null', null, 'must be an object'),
  json('a list', [{ message: 'Hi' }], 'must be an object'),
  json('a text', 'Hi', 'must be an object'),
  json('a number', 42, 'must be an object'),

  // Keys
  json('no key', {}, 'message'),
  field('mesage', 'Hi', '"mesage"'),
  field('sessionId', 'x', '"session_id"'),
  field('model', 'gpt-5', '"model"'),
  field('tools', [], '"tools"'),
  field('system', 'Obey', '"system"'),
  field('principal', { id: 'root' }, '"principal"'),
  text('__proto__', '{"message":"Hi","__proto__":{"a":1}}', '"__proto__"'),
  field('constructor', {}, '"constructor"'),
  field('k'.repeat(5_000), 1, '…'),
  field('canary-key sk-live-1', 1, 'characters'),
  json('both messages', { message: 'Hi', messages: [] }, 'both'),

  // message
  message('null', null, 'null'),
  message('a number', 1, 'number'),
  message('an object', { text: 'Hi' }, 'object'),
  message('empty', '', 'empty'),
  message('blank', ' \t\n\u00a0', 'empty'),
  message('no parts', [], 'empty'),
  message('a blank part', [{ type: 'text', text: ' ' }], 'empty'),
  message(
    '101 parts',
    Array.from({ length: 101 }, () => ({ type: 'text', text: 'x' })),
    '100',
  ),
  text('message: half a character', '{"message":"\\ud83d"}', 'surrogate'),
  part('a part that is a text', 'Hi', 'type'),
  part('an unknown part', { type: 'audio', url: 'https://example.com/a' }, 'type'),
  part('a tool call', { type: 'tool-call', call_id: 'c', tool_name: 't', input: {} }, 'type'),
  part('a tool result', { type: 'tool-result', call_id: 'c', output: 1 }, 'type'),
  part('an unknown key of a part', { type: 'text', text: 'x', providerData: {} }, 'unknown keys'),
  part('a text part without text', { type: 'text' }, 'missing'),
  part('a file without content', file, 'url and data'),
  part('a file with both', { ...file, url: 'https://example.com/a', data: 'YQ==' }, 'url and data'),
  part('a file without a type', { type: 'file', data: 'YQ==' }, 'media_type'),
  part('a file with a bad type', { ...file, media_type: 'png', data: 'YQ==' }, 'media_type'),
  part('data that is no base64', { ...file, data: 'a b c!' }, 'base64'),
  part('a name with a path', { ...file, data: 'YQ==', name: '../x' }, 'name'),
  part('http', { ...file, url: 'http://example.com/a' }, 'https'),
  part('a local file', { ...file, url: 'file:///etc/passwd' }, 'https'),
  part('no URL', { ...file, url: 'picture' }, 'URL'),
  part('credentials in a URL', { ...file, url: 'https://me:canary-url@example.com/a' }, 'password'),
  ...[
    'https://localhost/a',
    'https://127.0.0.1/a',
    'https://2130706433/a',
    'https://0x7f.1/a',
    'https://10.1.2.3/a',
    'https://169.254.169.254/latest/meta-data',
    'https://192.168.0.1/a',
    'https://[::1]/a',
    'https://[fd00::1]/a',
    'https://[::ffff:127.0.0.1]/a',
    'https://printer.local/a',
    'https://db.internal/a',
    'https://intranet/a',
  ].map((url) => part(`the inside: ${url}`, { ...file, url }, 'private')),

  // messages
  messages('null', null, 'null'),
  messages('a text', 'Hi', 'list'),
  messages('none', [], 'empty'),
  messages(
    '1,001',
    Array.from({ length: 1_001 }, () => ({ role: 'user', content: 'x' })),
    '1000',
  ),
  messages('a text in it', ['Hi'], 'object'),
  messages('no role', [{ content: 'Hi' }], 'role'),
  messages('no content', [{ role: 'user' }], 'content'),
  messages('a system message', [{ role: 'system', content: 'Obey' }], 'system'),
  messages('a developer message', [{ role: 'developer', content: 'Obey' }], 'developer'),
  messages('a tool message', [{ role: 'tool', content: '42' }], 'tool'),
  messages('another role', [{ role: 'admin', content: 'Hi' }], 'role'),
  messages('an id', [{ role: 'user', content: 'Hi', id: 'm' }], '"id"'),
  messages('an assistant last', [{ role: 'assistant', content: 'Hi' }], 'last'),
  messages('one empty', [{ role: 'user', content: '' }], 'empty'),

  // ids, context, switches
  field('session_id', 7),
  field('session_id', null),
  field('session_id', ''),
  field('session_id', 'x'.repeat(129)),
  field('session_id', 'a/b'),
  field('session_id', 'a\u0000b'),
  field('session_id', '../runs'),
  field('conversation_id', {}),
  json('two session ids', { message: 'Hi', session_id: 'a', conversation_id: 'b' }, 'differ'),
  field('user_id', ''),
  field('user_id', 'x'.repeat(257)),
  field('user_id', 'a\r\nb'),
  field('user_id', { id: 'root' }),
  field('context', 'x'),
  field('context', []),
  field('context', null),
  field('stream', 'true'),
  field('stream', 1),
  field('stream', null),
  field('if_busy', 'wait'),
  field('model_settings', { temperature: 0 }, 'not taken'),
  headers('X-Stream: maybe', { 'x-stream': 'maybe' }, 400, 'X-Stream'),
  headers('X-Stream twice', { 'x-stream': 'true, true' }, 400, 'X-Stream'),
  {
    ...headers('two switches', { 'x-stream': 'true' }, 400, 'X-Stream'),
    body: '{"message":"Hi","stream":false}',
  },
  {
    ...headers('Accept against stream', { accept: 'text/event-stream' }, 400, 'Accept'),
    body: '{"message":"Hi","stream":false}',
  },

  // Media types and sizes
  headers('no type', { 'content-type': '' }, 415, 'Content-Type'),
  headers('text/plain', { 'content-type': 'text/plain' }, 415, 'Content-Type'),
  headers('a form', { 'content-type': 'application/x-www-form-urlencoded' }, 415, 'JSON'),
  headers('multipart', { 'content-type': 'multipart/form-data; boundary=x' }, 415, 'JSON'),
  headers('latin1', { 'content-type': 'application/json; charset=latin1' }, 415, 'UTF-8'),
  headers('JSON in a list', { 'content-type': 'application/json, text/plain' }, 415, 'JSON'),
  headers('gzip', { 'content-encoding': 'gzip' }, 415, 'compressed'),
  { ...json('too much', { message: 'x'.repeat(70_000) }, 'larger'), status: 413 },
  headers('a key of 256', { 'idempotency-key': 'k'.repeat(256) }, 400, 'at most 255'),
  headers('a key twice', { 'idempotency-key': 'k, k' }, 400, 'send it once'),
  headers('a key that is no ASCII', { 'idempotency-key': 'k\u00e9y' }, 400, 'ASCII'),
  headers('no key', { 'idempotency-key': '""' }, 400, 'empty'),
  {
    ...headers('a cursor without a key', { 'last-event-id': '3' }, 400, 'Idempotency-Key'),
    body: '{"message":"Hi","stream":true}',
  },
  headers('a cursor without a stream', { 'last-event-id': '3' }, 400, 'text/event-stream'),

  // Paths and methods
  { name: 'GET', method: 'GET', status: 405, says: 'POST' },
  { name: 'DELETE', method: 'DELETE', status: 405, says: 'POST' },
  { name: 'OPTIONS', method: 'OPTIONS', status: 405, says: 'POST' },
  { name: 'no such agent', path: '/api/agents/nobody/chat', body: '{}', status: 404, says: 'echo' },
  { name: 'a path of dots', path: '/api/agents/%2e%2e/chat', body: '{}', status: 404, says: '' },
  { name: 'a broken escape', path: '/api/agents/%zz/chat', body: '{}', status: 404, says: 'route' },
  { name: 'a slash too many', path: '/api/agents/echo/chat/', body: '{}', status: 404, says: '' },
  { name: 'the root', path: '/', method: 'GET', status: 404, says: 'route' },
  { name: 'limit', path: '/api/sessions?limit=0', method: 'GET', status: 400, says: 'limit' },
  { name: 'limit 2', path: '/api/sessions?limit=1e2', method: 'GET', status: 400, says: 'limit' },
  {
    name: 'a list from x',
    path: '/api/sessions?cursor=x',
    method: 'GET',
    status: 400,
    says: 'page',
  },
  {
    name: 'a list from \u00e9',
    path: '/api/sessions?cursor=%C3%A9',
    method: 'GET',
    status: 400,
    says: 'page',
  },
  { name: 'POST to sessions', path: '/api/sessions', body: '{}', status: 405, says: 'GET' },
  {
    name: 'an unknown session',
    path: '/api/sessions/x',
    method: 'GET',
    status: 404,
    says: 'session',
  },
  { name: 'its removal', path: '/api/sessions/x', method: 'DELETE', status: 404, says: 'session' },
  {
    name: 'a session of dots',
    path: '/api/sessions/..%2fruns',
    method: 'GET',
    status: 404,
    says: '',
  },
  { name: 'openapi', path: '/api/openapi', method: 'GET', status: 404, says: 'route' },
  { name: 'an unknown run', path: '/api/runs/x', method: 'GET', status: 404, says: 'run' },
  { name: 'a run of dots', path: '/api/runs/%2e%2e', method: 'GET', status: 404, says: '' },
  { name: 'its events', path: '/api/runs/x/events', method: 'GET', status: 404, says: 'run' },
  { name: 'its cancel', path: '/api/runs/x/cancel', body: '{}', status: 404, says: 'run' },
  { name: 'its decisions', path: '/api/runs/x/decisions', body: '[]', status: 404, says: 'run' },
];

/** Bodies for the decisions of a run that waits. */
export const malformedDecisions: readonly Malformed[] = [
  text('nothing', '', 'empty'),
  json('an object', { interruption_id: 'i', approved: true }, 'list'),
  json('none', [], 'empty'),
  json(
    '101',
    Array.from({ length: 101 }, (_, n) => ({ interruption_id: `${n}`, approved: true })),
    '100',
  ),
  form('a text in it', ['yes'], 'object'),
  form('no id', [{ approved: true }], 'interruption_id'),
  form('no answer', [{ interruption_id: 'i' }], 'none'),
  form('two answers', [{ interruption_id: 'i', approved: true, answer: 1 }], 'several'),
  form('approved as text', [{ interruption_id: 'i', approved: 'yes' }], 'true or false'),
  form('an unknown key', [{ interruption_id: 'i', approved: true, by: 'root' }], '"by"'),
  form('an unknown outcome', [{ interruption_id: 'i', outcome: 'maybe' }], 'not-done'),
  form('done without output', [{ interruption_id: 'i', outcome: 'done' }], 'output'),
  form(
    'not done with output',
    [{ interruption_id: 'i', outcome: 'not-done', output: 1 }],
    'output',
  ),
  form('refused with input', [{ interruption_id: 'i', approved: false, input: {} }], 'input'),
  json(
    'twice',
    [
      { interruption_id: 'i', approved: true },
      { interruption_id: 'i', approved: false },
    ],
    'twice',
  ),
];
