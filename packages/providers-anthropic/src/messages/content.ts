import {
  isJsonObject,
  outputText,
  type FilePart,
  type Json,
  type JsonObject,
  type Part,
  type ToolResultPart,
} from '@agent-functions/core';
import type { Warning } from '@agent-functions/core/provider';

/** What a provider kept of a part of its own. */
export function own(part: { readonly providerData?: Part['providerData'] }): JsonObject {
  const data = part.providerData?.['anthropic'];
  return isJsonObject(data) ? data : {};
}

/** A text block; the API refuses one without a letter. */
export function textBlock(text: string, citations?: Json): JsonObject | undefined {
  if (text.trim() === '') return undefined;
  return { type: 'text', text, ...(citations === undefined ? {} : { citations }) };
}

/** A part of a user's message or of a tool's result; what has no place there is a warning. */
export function inputBlock(part: Part, where: string, warnings: Warning[]): JsonObject | undefined {
  switch (part.type) {
    case 'text':
    case 'refusal':
    case 'summary':
      return textBlock(part.text);
    case 'file': {
      const file = fileBlock(part);
      if (typeof file !== 'string') return file;
      warnings.push(unsupportedPart(`A file (${part.mediaType})`, where, file));
      return undefined;
    }
    case 'reasoning':
      return undefined;
    case 'tool-call':
    case 'tool-result':
      warnings.push(
        unsupportedPart(`A ${part.type} (${part.toolName})`, where, 'It has no place there.'),
      );
      return undefined;
    default:
      return part satisfies never;
  }
}

/** The content of a `tool_result`: text as it is, else blocks. A failed tool's result may hold text only. */
export function resultContent(part: ToolResultPart, warnings: Warning[]): Json | undefined {
  const { output, isError } = part;
  if (output.type === 'json' || output.parts.every(({ type }) => type === 'text')) {
    const text = outputText(output);
    return text.trim() === '' ? undefined : text;
  }
  const where = `the result of ${part.toolName}`;
  const blocks = output.parts.flatMap((one) => {
    if (isError === true && one.type === 'file') {
      const why = 'The result of a failed tool may hold text only.';
      warnings.push(unsupportedPart(`A file (${one.mediaType})`, where, why));
      return [];
    }
    return inputBlock(one, where, warnings) ?? [];
  });
  return blocks.length === 0 ? undefined : blocks;
}

const images: ReadonlySet<string> = new Set(['image/jpeg', 'image/png', 'image/gif', 'image/webp']);

/**
 * A file as a block, or why there is none. An address is handed on where the API fetches it by itself: images and PDFs,
 * https only. Nothing is fetched here.
 */
function fileBlock(part: FilePart): JsonObject | string {
  const mediaType = mediaTypeOf(part);
  const { file_id: id, title, context, citations } = own(part);
  const isImage = mediaType.startsWith('image/');
  const extras = isImage
    ? {}
    : {
        ...field('title', title ?? part.name),
        ...field('context', context),
        ...field('citations', citations),
      };
  const type = isImage ? 'image' : 'document';
  if (typeof id === 'string') return { type, source: { type: 'file', file_id: id }, ...extras };
  if (isImage && !images.has(mediaType)) return 'Images are JPEG, PNG, GIF or WebP.';
  if (isImage || mediaType === 'application/pdf') {
    if (part.data !== undefined) {
      return {
        type,
        source: { type: 'base64', media_type: mediaType, data: part.data },
        ...extras,
      };
    }
    if (part.url === undefined) return 'It has neither data nor an address.';
    if (!part.url.startsWith('https://')) return 'Its address is not https.';
    return { type, source: { type: 'url', url: part.url }, ...extras };
  }
  if (isText(mediaType)) {
    if (part.data === undefined) return 'The API does not fetch text files.';
    const data = decoded(part.data);
    if (data === undefined) return 'Its data is not base64 of UTF-8 text.';
    return { type, source: { type: 'text', media_type: 'text/plain', data }, ...extras };
  }
  return 'The API takes images, PDFs and text.';
}

function mediaTypeOf({ mediaType }: FilePart): string {
  const [type = ''] = mediaType.toLowerCase().split(';');
  return type.trim() === 'image/jpg' ? 'image/jpeg' : type.trim();
}

function isText(mediaType: string): boolean {
  return mediaType.startsWith('text/') || /[/+](json|xml|yaml|javascript)$/.test(mediaType);
}

function decoded(data: string): string | undefined {
  try {
    const bytes = Uint8Array.from(atob(data), (char) => char.charCodeAt(0));
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** A field and its value, or nothing: `undefined` has no JSON form. */
export function field(name: string, value: Json | undefined): JsonObject {
  return value === undefined ? {} : { [name]: value };
}

export function unsupportedPart(part: string, where: string, why: string): Warning {
  return {
    type: 'warning',
    code: 'unsupported-part',
    message: `${part} in ${where} was not sent to the model. ${why}`,
  };
}
