import { isJsonArray, type Json, type Part } from '@agent-functions/core';
import { listAt, objectAt, oneOfAt, textAt, type ObjectSchema } from './fields.ts';
import { badRequest } from './problem.ts';

// What a person says: a text, or a list of parts.

const maxParts = 100;
const maxText = 100_000_000;

const textPartSchema = {
  type: 'object',
  properties: { type: { const: 'text' }, text: { type: 'string' } },
  required: ['type', 'text'],
  additionalProperties: false,
} as const satisfies ObjectSchema;

const filePartSchema = {
  type: 'object',
  properties: {
    type: { const: 'file' },
    media_type: { type: 'string', pattern: '^[\\w.+-]+/[\\w.+-]+$' },
    url: { type: 'string', format: 'uri', description: 'https only; instead of data' },
    data: { type: 'string', contentEncoding: 'base64', description: 'instead of url' },
    name: { type: 'string', maxLength: 256 },
  },
  required: ['type', 'media_type'],
  oneOf: [{ required: ['url'] }, { required: ['data'] }],
  additionalProperties: false,
} as const satisfies ObjectSchema;

/** A text, or text and file parts. */
export const contentSchema = {
  anyOf: [
    { type: 'string', minLength: 1 },
    {
      type: 'array',
      items: { anyOf: [textPartSchema, filePartSchema] },
      minItems: 1,
      maxItems: maxParts,
    },
  ],
} as const;

/** @throws Problem 400, for content that says nothing too. */
export function contentAt(value: Json | undefined, at: string): string | readonly Part[] {
  if (!isJsonArray(value)) {
    const text = plainText(value, at);
    if (text.trim() === '') throw badRequest(`${at} is empty. Write something to answer.`);
    return text;
  }
  const parts = listAt(value, at, { min: 1, max: maxParts }).map((each, index) =>
    partAt(each, `${at}[${index}]`),
  );
  if (parts.every((part) => part.type === 'text' && part.text.trim() === '')) {
    throw badRequest(`${at} is empty. Write something to answer.`);
  }
  return parts;
}

function partAt(value: Json, at: string): Part {
  const type = oneOfAt(typeOf(value), `${at}.type`, ['text', 'file']);
  if (type === 'text') {
    const { text } = objectAt(value, at, textPartSchema);
    return { type, text: plainText(text, `${at}.text`) };
  }
  const fields = objectAt(value, at, filePartSchema);
  const { url, data, name } = fields;
  if ((url === undefined) === (data === undefined)) {
    throw badRequest(`${at} must have one of url and data.`);
  }
  return {
    type,
    mediaType: textAt(fields['media_type'], `${at}.media_type`, {
      maxLength: 127,
      pattern: /^[\w.+-]+\/[\w.+-]+$/,
      form: 'write it like image/png',
    }),
    ...(url === undefined ? {} : { url: urlAt(url, `${at}.url`) }),
    ...(data === undefined ? {} : { data: base64At(data, `${at}.data`) }),
    ...(name === undefined
      ? {}
      : {
          name: textAt(name, `${at}.name`, { maxLength: 256, pattern: /^[^\p{Cc}\p{Cs}/\\]+$/u }),
        }),
  };
}

function typeOf(part: Json): Json | undefined {
  return typeof part === 'object' && part !== null && 'type' in part ? part.type : undefined;
}

function plainText(value: Json | undefined, at: string): string {
  const text = textAt(value, at, { maxLength: maxText });
  // Half a surrogate pair has no UTF-8 form: it would change on its way to the model and in the store.
  if (/\p{Cs}/u.test(text)) throw badRequest(`${at} has half a character (a lone surrogate).`);
  return text;
}

function base64At(value: Json, at: string): string {
  const text = textAt(value, at, { maxLength: maxText });
  if (text === '' || text.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) {
    throw badRequest(`${at} is not base64.`);
  }
  return text;
}

/** Whoever fetches a file checks the address it resolves to; here names and numbers of the inside are refused. */
function urlAt(value: Json, at: string): string {
  const text = textAt(value, at, { maxLength: 4_096 });
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw badRequest(`${at} is not a URL.`);
  }
  if (url.protocol !== 'https:') throw badRequest(`${at} must begin with https://.`);
  if (url.username !== '' || url.password !== '') {
    throw badRequest(`${at} has a user name or a password. Leave them out.`);
  }
  if (isInside(url.hostname)) {
    throw badRequest(`${at} names a private address. Use one that the public can reach.`);
  }
  return text;
}

function isInside(host: string): boolean {
  if (host.startsWith('[')) {
    // Of IPv6 only global unicast (2000::/3) is outside.
    return !/^\[[23][0-9a-f]{3}:/.test(host);
  }
  const parts = /^(\d+)\.(\d+)\.\d+\.\d+$/.exec(host);
  if (parts !== null) {
    const [a, b] = [Number(parts[1]), Number(parts[2])];
    return (
      a === 0 ||
      a === 10 ||
      a === 127 ||
      a >= 224 ||
      (a === 100 && b >= 64 && b < 128) ||
      (a === 169 && b === 254) ||
      (a === 172 && b >= 16 && b < 32) ||
      (a === 192 && b === 168)
    );
  }
  return !host.includes('.') || /(^|\.)(localhost|local|internal|home\.arpa)\.?$/.test(host);
}
