import type { Part } from '@agent-functions/core';
import type { CallToolResult } from '@modelcontextprotocol/server';

type Block = CallToolResult['content'][number];

/** Parts of a tool's result as blocks of MCP. */
export function toBlocks(parts: readonly Part[]): Block[] {
  return parts.flatMap((part): Block[] => {
    switch (part.type) {
      case 'text':
      case 'refusal':
      case 'summary':
        return [{ type: 'text', text: part.text }];
      case 'file':
        return [fileBlock(part)];
      case 'reasoning':
      case 'tool-call':
      case 'tool-result':
        // What a model says while it works is no result.
        return [];
      default:
        return part satisfies never;
    }
  });
}

function fileBlock(part: Extract<Part, { readonly type: 'file' }>): Block {
  const { mediaType, data, url, name } = part;
  if (data === undefined) {
    const uri = url ?? '';
    return { type: 'resource_link', uri, name: name ?? uri, mimeType: mediaType };
  }
  if (mediaType.startsWith('image/')) return { type: 'image', data, mimeType: mediaType };
  if (mediaType.startsWith('audio/')) return { type: 'audio', data, mimeType: mediaType };
  const uri = name !== undefined && URL.canParse(name) ? name : `file:///${name ?? 'file'}`;
  return { type: 'resource', resource: { uri, mimeType: mediaType, blob: data } };
}
