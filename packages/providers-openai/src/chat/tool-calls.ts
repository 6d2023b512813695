import { toJson, type ModelPart, type ModelStreamEvent } from '@agent-functions/core';
import { isRecord, stringOf, WireError } from '@agent-functions/core/provider';
import { parseInput } from '../from-stream.ts';

/** A tool call while its fragments come in. */
interface OpenCall {
  readonly position: number;
  readonly index: unknown;
  id: string;
  name: string;
  text: string;
  /** How much of `text` was shown. */
  shown: number;
  extra: unknown;
}

/**
 * Puts the fragments of tool calls together. By the protocol a fragment says its call by `index`, and only the first has
 * id and name. Compatible servers leave `index` out, give every call the same, repeat ids and names, or give none.
 */
export interface ToolCallFragments {
  /** What one fragment adds: a delta, or nothing. */
  add(fragment: unknown): ModelStreamEvent | undefined;
  readonly size: number;
  /** @throws WireError for a call without a name. */
  parts(provider: string): ModelPart[];
}

export function toolCallFragments(): ToolCallFragments {
  const calls: OpenCall[] = [];

  function callOf(index: unknown, id: string, name: string, text: string): OpenCall {
    const same = (call: OpenCall): boolean =>
      typeof index === 'number' ? call.index === index : id === '' || call.id === id;
    const known = calls.findLast(same);
    if (known !== undefined && !isAnother(known, id, name, text)) return known;
    const position = calls.length;
    const call = { position, index, id, name, text: '', shown: 0, extra: undefined };
    calls.push(call);
    return call;
  }

  return {
    add(fragment) {
      if (!isRecord(fragment)) return undefined;
      const fields = isRecord(fragment['function']) ? fragment['function'] : {};
      const id = stringOf(fragment['id']) ?? '';
      const name = stringOf(fields['name']) ?? '';
      const text = argumentsOf(fields['arguments']);
      const call = callOf(fragment['index'], id, name, text);
      if (call.id === '') call.id = id;
      if (call.name === '') call.name = name;
      call.text += text;
      if (fragment['extra_content'] !== undefined) call.extra = fragment['extra_content'];
      if (call.name === '' || call.shown === call.text.length) return undefined;
      const delta = call.shown === 0 ? call.text : text;
      call.shown = call.text.length;
      return { type: 'tool-input-delta', index: call.position, toolName: call.name, delta };
    },
    get size() {
      return calls.length;
    },
    parts: (provider) => calls.map((call) => toPart(call, provider)),
  };
}

/** Whether a fragment with the index of a known call begins another one. */
function isAnother(known: OpenCall, id: string, name: string, text: string): boolean {
  if (id !== '' && known.id !== '' && id !== known.id) return true;
  if (name === '' || known.name === '') return false;
  if (name !== known.name) return true;
  // The same name again: more arguments after whole ones can only be the next call's.
  return text.trim() !== '' && isWhole(known.text);
}

function isWhole(text: string): boolean {
  if (!text.trimEnd().endsWith('}')) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Arguments as text; some servers send the object itself. */
function argumentsOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return isRecord(value) ? JSON.stringify(value) : '';
}

function toPart({ id, name, text, extra }: OpenCall, provider: string): ModelPart {
  if (name === '') throw new WireError('a tool call has no name');
  const data = {
    ...(id === '' ? {} : { id }),
    ...(extra === undefined ? {} : { extra_content: toJson(extra) }),
  };
  return {
    type: 'tool-call',
    toolName: name,
    input: parseInput(text),
    ...(Object.keys(data).length === 0 ? {} : { providerData: { [provider]: data } }),
  };
}
