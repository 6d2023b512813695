import {
  canonicalJson,
  content,
  toJson,
  type Json,
  type Part,
  type ToolContent,
} from '@agent-functions/core';
import {
  isRecord,
  listOf,
  parsed,
  recordOf,
  stringOf,
  type Fields,
} from '@agent-functions/core/provider';

/** What a tool returned, as core takes it: JSON where there is nothing but that, parts where there is more. */
export function fromResult(result: unknown): Json | ToolContent {
  const { content: blocks, structuredContent, toolResult } = recordOf(result);
  const parts = listOf(blocks).flatMap(toParts);
  const structured = structuredContent ?? (parts.length === 0 ? toolResult : undefined);
  if (structured !== undefined) {
    const json = toJson(structured);
    return parts.every((part) => says(part, json))
      ? json
      : content([...parts, { type: 'text', text: JSON.stringify(json) }]);
  }
  const [only] = parts;
  if (only === undefined) return null;
  return parts.length === 1 && only.type === 'text' ? only.text : content(parts);
}

/** What a tool said when it failed. */
export function errorTextOf(result: unknown): string {
  const { content: blocks, structuredContent } = recordOf(result);
  const text = listOf(blocks)
    .flatMap(toParts)
    .flatMap((part) => (part.type === 'text' ? part.text : []))
    .join('\n');
  if (text !== '') return text;
  return structuredContent === undefined
    ? 'it gave no reason'
    : JSON.stringify(toJson(structuredContent));
}

/** Content of a resource, or of a prompt's message: one block, or what a resource holds. */
export function toParts(block: unknown): readonly Part[] {
  if (!isRecord(block)) return [];
  switch (block['type']) {
    case 'text':
      return [{ type: 'text', text: stringOf(block['text']) ?? '' }];
    case 'image':
    case 'audio':
      return file(block['mimeType'], block['data']);
    case 'resource':
      return resourceParts(block['resource']);
    case 'resource_link':
      return [{ type: 'text', text: link(block) }];
    default:
      return [{ type: 'text', text: JSON.stringify(toJson(block)) }];
  }
}

/** One of the contents of a resource: text, or a file. */
export function resourceParts(resource: unknown): readonly Part[] {
  const { uri, text, blob, mimeType } = recordOf(resource);
  const where = stringOf(uri) ?? '';
  if (typeof text === 'string') return [{ type: 'text', text: `Resource ${where}:\n${text}` }];
  return file(mimeType, blob, where);
}

function file(mediaType: unknown, data: unknown, name?: string): readonly Part[] {
  if (typeof data !== 'string') return [];
  return [
    {
      type: 'file',
      mediaType: stringOf(mediaType) ?? 'application/octet-stream',
      data,
      ...(name === undefined || name === '' ? {} : { name }),
    },
  ];
}

// As text: nobody fetches what a server points at.
function link({ uri, name, description, mimeType }: Fields): string {
  const facts = [name, mimeType, description].flatMap((one) => stringOf(one) ?? []);
  return `Resource ${stringOf(uri) ?? ''}${facts.length === 0 ? '' : ` (${facts.join(', ')})`}`;
}

// A server that has structured content says it as text too, for older clients.
function says(part: Part, json: Json): boolean {
  if (part.type !== 'text') return false;
  const value = parsed(part.text);
  return value !== undefined && canonicalJson(toJson(value)) === canonicalJson(json);
}
