import { badRequest } from './problem.ts';

/**
 * Whether a chat is answered by an event stream. Three switches say so (`Accept: text/event-stream`, `"stream": true`,
 * `X-Stream: true`); whoever asks for nothing gets what the agent streams by default.
 *
 * @throws Problem 400 for switches that contradict each other.
 */
export function wantsStream(
  headers: Headers,
  inBody: boolean | undefined,
  byDefault: boolean,
): boolean {
  const header = xStream(headers.get('x-stream'));
  if (inBody !== undefined && header !== undefined && inBody !== header) {
    throw badRequest(`"stream" is ${inBody} and X-Stream is ${header}. Send one of them.`);
  }
  const said = inBody ?? header;
  const accepts = accepted(headers.get('accept') ?? '');
  if (said === false && accepts === 'stream') {
    throw badRequest('Accept asks for an event stream and "stream" or X-Stream refuses it.');
  }
  if (said !== undefined) return said;
  if (accepts === 'either' || accepts === 'stream') return true;
  return accepts === 'json' ? false : byDefault;
}

function xStream(value: string | null): boolean | undefined {
  if (value === null) return undefined;
  switch (value.trim().toLowerCase()) {
    case 'true':
    case '1':
      return true;
    case 'false':
    case '0':
      return false;
    default:
      throw badRequest('X-Stream must be true or false, once.');
  }
}

/**
 * What `Accept` says (RFC 9110 section 12.5.1): `stream` takes nothing else, `either` prefers the stream, `any` leaves it
 * to the agent. Of two that weigh the same the stream counts only when it comes first: a client that lists all that it
 * could read, as MCP's do, has not asked for one.
 */
function accepted(accept: string): 'stream' | 'json' | 'either' | 'any' {
  const types = accept
    .toLowerCase()
    .split(',')
    .map((each) => each.trim().split(';'))
    .map(([type = '', ...parameters]) => ({ type: type.trim(), q: qualityOf(parameters) }))
    .filter(({ q }) => q > 0);
  const at = (names: readonly string[]): { readonly q: number; readonly index: number } => {
    const index = types.findIndex(({ type }) => names.includes(type));
    return { q: types[index]?.q ?? 0, index };
  };
  const stream = at(['text/event-stream']);
  const json = at(['application/json', 'application/*']);
  const any = at(['*/*']);
  if (stream.q === 0) return json.q > 0 && any.q === 0 ? 'json' : 'any';
  if (json.q === 0) return any.q === 0 ? 'stream' : 'either';
  if (stream.q > json.q) return 'either';
  if (stream.q < json.q) return 'json';
  return stream.index < json.index ? 'either' : 'any';
}

function qualityOf(parameters: readonly string[]): number {
  const [, q] = parameters.map((each) => /^\s*q=([\d.]+)\s*$/.exec(each)).find(Boolean) ?? [];
  return q === undefined ? 1 : Number(q);
}
