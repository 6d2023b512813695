import type { Part as A2APart } from '@a2a-js/sdk';
import { toJson, type FilePart, type Json, type Output, type Part } from '@agent-functions/core';
import { Refused } from './refused.ts';
import { checkUrl } from './safe-url.ts';

// Parts of messages and artifacts (specification 4.1.6), to ours and back.

/**
 * Parts of a caller's message: text and files as they are, data as its JSON text.
 *
 * @param accepts Whether the agent takes a media type.
 * @throws Refused `ContentTypeNotSupported`; `RequestMalformed` for an empty part, or a URL that must not be followed.
 */
export function fromParts(
  parts: readonly A2APart[],
  accepts: (mediaType: string) => boolean,
): readonly Part[] {
  if (parts.length === 0) {
    throw new Refused('RequestMalformed', 'message.parts is empty. Send at least one part.');
  }
  return parts.map((part, index) => fromPart(part, `message.parts[${index}]`, accepts));
}

function fromPart(
  { content, mediaType, filename }: A2APart,
  where: string,
  accepts: (mediaType: string) => boolean,
): Part {
  const accepted = (fallback: string): string => {
    const type = mediaTypeOf(mediaType) || fallback;
    if (accepts(type)) return type;
    throw new Refused(
      'ContentTypeNotSupported',
      `${where} has the media type ${type}, which this agent does not take. Its card lists those it takes.`,
      { mediaType: type },
    );
  };
  switch (content?.$case) {
    case 'text':
      if (mediaType !== '' && !mediaTypeOf(mediaType).startsWith('text/')) accepted('text/plain');
      return { type: 'text', text: content.value };
    case 'data':
      if (mediaType !== '') accepted('application/json');
      return { type: 'text', text: JSON.stringify(content.value ?? null) };
    case 'raw':
      return file(accepted('application/octet-stream'), filename, {
        data: content.value.toString('base64'),
      });
    case 'url': {
      const checked = checkUrl(content.value);
      if (!checked.ok) {
        throw new Refused('RequestMalformed', `${where}.url is refused: ${checked.reason}`);
      }
      return file(accepted('application/octet-stream'), filename, { url: content.value });
    }
    case undefined:
      throw new Refused(
        'RequestMalformed',
        `${where} has none of text, raw, url and data. Send exactly one.`,
      );
    default:
      return content satisfies never;
  }
}

function file(
  mediaType: string,
  name: string,
  where: { readonly url: string } | { readonly data: string },
): FilePart {
  return { type: 'file', mediaType, ...where, ...(name === '' ? {} : { name }) };
}

/** Without parameters, in lower case. */
function mediaTypeOf(text: string): string {
  return (text.split(';', 1)[0] ?? '').trim().toLowerCase();
}

/** What a person or an agent wrote, as far as it is for others: text and files. */
export function toParts(parts: readonly Part[]): A2APart[] {
  return parts.flatMap((part) => {
    switch (part.type) {
      case 'text':
      case 'refusal':
        return part.text === '' ? [] : [textPart(part.text)];
      case 'file':
        return [filePart(part)];
      default:
        return [];
    }
  });
}

/** What an agent answered: text as text, other JSON as data, content as its text and files. */
export function outputParts(output: Output): A2APart[] {
  if (output.type === 'content') return toParts(output.parts);
  return typeof output.value === 'string' ? [textPart(output.value)] : [dataPart(output.value)];
}

export function textPart(text: string): A2APart {
  return { ...bare, content: { $case: 'text', value: text }, mediaType: 'text/plain' };
}

export function dataPart(value: Json): A2APart {
  return { ...bare, content: { $case: 'data', value }, mediaType: 'application/json' };
}

function filePart({ mediaType, url, data, name }: FilePart): A2APart {
  return {
    ...bare,
    mediaType,
    filename: name ?? '',
    content:
      url === undefined
        ? { $case: 'raw', value: Buffer.from(data ?? '', 'base64') }
        : { $case: 'url', value: url },
  };
}

const bare = { metadata: undefined, filename: '' };

/** The text of a message: its text parts, each in lines of its own. */
export function textIn(parts: readonly A2APart[]): string {
  return parts
    .flatMap(({ content }) => (content?.$case === 'text' ? [content.value] : []))
    .join('\n');
}

/** The values of the data parts of a message. */
export function dataIn(parts: readonly A2APart[]): readonly Json[] {
  return parts.flatMap(({ content }) =>
    content?.$case === 'data' ? [toJson(content.value ?? null)] : [],
  );
}
