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

function accepted(accept: string): 'stream' | 'json' | 'either' | 'any' {
  const types = accept
    .toLowerCase()
    .split(',')
    .map((each) => each.trim().split(';'))
    .filter(([, ...parameters]) => !parameters.some((each) => /^\s*q=0(\.0*)?\s*$/.test(each)))
    .map(([type = '']) => type.trim());
  const stream = types.includes('text/event-stream');
  const json = types.some((type) => type === 'application/json' || type === 'application/*');
  if (stream) return json || types.includes('*/*') ? 'either' : 'stream';
  return json && !types.includes('*/*') ? 'json' : 'any';
}
