import { toJson, type Json, type JsonObject, type ModelPart } from '@agent-functions/core';
import { WireError } from '@agent-functions/core/provider';

/** A content block while it is written. */
export interface OpenBlock {
  /** As it was announced, or whole. */
  readonly start: { readonly [key: string]: unknown };
  text: string;
  thinking: string;
  signature: string;
  json: string;
  readonly citations: unknown[];
  /** Which tool call of the answer; -1 for other blocks. */
  readonly call: number;
}

/** A block as it was, to be sent back untouched. */
export function toBlock(block: OpenBlock): JsonObject {
  const { start, text, thinking, signature, citations, json } = block;
  const out: { [key: string]: Json } = {};
  for (const [name, value] of Object.entries(start)) out[name] = toJson(value);
  switch (start['type']) {
    case 'text':
      out['text'] = text;
      if (citations.length > 0) out['citations'] = toJson(citations);
      return out;
    case 'thinking':
      return { ...out, thinking, signature };
    default:
      return json === '' ? out : { ...out, input: parseInput(json) };
  }
}

export function toPart(open: OpenBlock): readonly ModelPart[] {
  const block = toBlock(open);
  switch (block['type']) {
    case 'text': {
      const { citations } = block;
      const hasCitations = Array.isArray(citations) && citations.length > 0;
      return open.text === ''
        ? []
        : [
            {
              type: 'text',
              text: open.text,
              ...(hasCitations ? { providerData: { anthropic: { citations } } } : {}),
            },
          ];
    }
    case 'tool_use':
      return [toCall(block)];
    default:
      // Thinking, and what the vendor's own tools did: opaque to us, sent back as it is.
      return [
        {
          type: 'reasoning',
          ...(open.thinking === '' ? {} : { text: open.thinking }),
          providerData: { anthropic: block },
        },
      ];
  }
}

function toCall(block: JsonObject): ModelPart {
  const { id, name, input, caller, toolset_name: toolset } = block;
  if (typeof name !== 'string' || name === '') throw new WireError('a tool call has no name');
  const data = {
    ...(typeof id === 'string' && id !== '' ? { id } : {}),
    ...(caller === undefined || caller === null ? {} : { caller }),
    ...(typeof toolset === 'string' ? { toolset_name: toolset } : {}),
  };
  return {
    type: 'tool-call',
    toolName: name,
    input: input ?? {},
    ...(Object.keys(data).length === 0 ? {} : { providerData: { anthropic: data } }),
  };
}

/** The arguments of a call: JSON, `{}` where the model wrote nothing, else the text as it is. */
function parseInput(text: string): Json {
  if (text.trim() === '') return {};
  try {
    return toJson(JSON.parse(text));
  } catch {
    return text;
  }
}
