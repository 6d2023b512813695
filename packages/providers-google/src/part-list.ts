import {
  toJson,
  type Json,
  type ModelPart,
  type ModelStreamEvent,
  type ProviderData,
} from '@agent-functions/core';
import { isRecord, stringOf, WireError, type Fields } from '@agent-functions/core/provider';
import type { Backend } from './endpoint.ts';
import { provider } from './options.ts';

/** What the vendor's own tools did: opaque here, sent back as it came (`Part` in the SDK's types says which). */
const opaque = ['executableCode', 'codeExecutionResult', 'toolCall', 'toolResponse'];

/**
 * The parts of an answer while they come. Texts that follow each other are one part, except around a signature: it belongs
 * to exactly the part that it came with (ai.google.dev, Thought signatures).
 */
export class PartList {
  readonly #backend: Backend;
  readonly #parts: ModelPart[] = [];
  #calls = 0;

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  all(): readonly ModelPart[] {
    return this.#parts;
  }

  /** What a part means for a watcher, or `undefined` for one of an unknown kind. */
  push(part: unknown): readonly ModelStreamEvent[] | undefined {
    if (!isRecord(part)) return undefined;
    if (isRecord(part['functionCall'])) return this.#call(part['functionCall'], part);
    if (isRecord(part['inlineData'])) return this.#file(part['inlineData'], part);
    if (opaque.some((key) => part[key] !== undefined)) {
      this.#parts.push({ type: 'reasoning', providerData: this.#data({ part: toJson(part) }) });
      return [];
    }
    const text = stringOf(part['text']);
    if (text !== undefined) return this.#text(text, part);
    // A signature may come alone, after the text.
    if (typeof part['thoughtSignature'] === 'string') return this.#text('', part);
    return undefined;
  }

  #text(text: string, part: Fields): readonly ModelStreamEvent[] {
    const thought = part['thought'] === true;
    const signed = this.#signature(part);
    if (text === '') {
      if (signed !== undefined) this.#parts.push({ type: 'reasoning', ...signed });
      return [];
    }
    const type = thought ? 'reasoning' : 'text';
    const last = this.#parts.at(-1);
    if (
      signed === undefined &&
      last?.type === type &&
      last.text !== undefined &&
      last.providerData === undefined
    ) {
      this.#parts[this.#parts.length - 1] = { type, text: last.text + text };
    } else this.#parts.push({ type, text, ...signed });
    return [{ type: thought ? 'reasoning-delta' : 'text-delta', delta: text }];
  }

  #call(call: Fields, part: Fields): readonly ModelStreamEvent[] {
    if (call['partialArgs'] !== undefined || call['willContinue'] === true) {
      throw new WireError(
        'the arguments of a tool call came in pieces; leave streamFunctionCallArguments out',
      );
    }
    const toolName = stringOf(call['name']) ?? '';
    if (toolName === '') throw new WireError('a tool call has no name');
    const input = toJson(call['args'] ?? {});
    const id = stringOf(call['id']) ?? '';
    const data = { ...(id === '' ? {} : { id }), ...this.#signed(part) };
    this.#parts.push({
      type: 'tool-call',
      toolName,
      input,
      ...(Object.keys(data).length === 0 ? {} : { providerData: { [provider]: data } }),
    });
    const index = this.#calls++;
    return [{ type: 'tool-input-delta', index, toolName, delta: JSON.stringify(input) }];
  }

  #file(blob: Fields, part: Fields): readonly ModelStreamEvent[] | undefined {
    const data = stringOf(blob['data']);
    const mediaType = stringOf(blob['mimeType']);
    if (data === undefined || mediaType === undefined) return undefined;
    this.#parts.push({ type: 'file', mediaType, data, ...this.#signature(part) });
    return [];
  }

  #signature(part: Fields): { readonly providerData: ProviderData } | undefined {
    const signed = this.#signed(part);
    return signed === undefined ? undefined : { providerData: { [provider]: signed } };
  }

  /** With the API that signed: the other one does not take it. */
  #signed(part: Fields): { readonly signature: string; readonly api: Backend } | undefined {
    const signature = stringOf(part['thoughtSignature']) ?? '';
    return signature === '' ? undefined : { signature, api: this.#backend };
  }

  #data(data: { readonly [key: string]: Json }): ProviderData {
    return { [provider]: { ...data, api: this.#backend } };
  }
}
