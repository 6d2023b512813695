import type { Json } from './json.ts';

/**
 * Opaque vendor payloads (reasoning signatures, encrypted blocks, the vendor's own call ids) keyed by provider, so that
 * a conversation that moves to another provider can leave foreign ones behind.
 */
export type ProviderData = { readonly [provider: string]: Json };

export interface TextPart {
  readonly type: 'text';
  readonly text: string;
  readonly providerData?: ProviderData | undefined;
}
/** An image, audio, PDF or other file: `data` is base64, or `url` says where it is. */
export interface FilePart {
  readonly type: 'file';
  readonly mediaType: string;
  readonly url?: string | undefined;
  readonly data?: string | undefined;
  readonly name?: string | undefined;
  readonly providerData?: ProviderData | undefined;
}
export interface ReasoningPart {
  readonly type: 'reasoning';
  readonly text?: string | undefined;
  readonly providerData?: ProviderData | undefined;
}
/** A refusal in the vendor's own words: an answer that says that there is none. */
export interface RefusalPart {
  readonly type: 'refusal';
  readonly text: string;
  readonly providerData?: ProviderData | undefined;
}
/** `input` is what the model wrote: JSON, or the raw text where that was not valid JSON. */
export interface ToolCallPart {
  readonly type: 'tool-call';
  readonly callId: string;
  readonly toolName: string;
  readonly input: Json;
  readonly providerData?: ProviderData | undefined;
}
export interface ToolResultPart {
  readonly type: 'tool-result';
  readonly callId: string;
  readonly toolName: string;
  readonly output: Output;
  readonly isError?: boolean | undefined;
  readonly providerData?: ProviderData | undefined;
}
/** Stands where older messages were compacted. */
export interface SummaryPart {
  readonly type: 'summary';
  readonly text: string;
  readonly replaces: number;
  readonly providerData?: ProviderData | undefined;
}

export type Part =
  | TextPart
  | FilePart
  | ReasoningPart
  | RefusalPart
  | ToolCallPart
  | ToolResultPart
  | SummaryPart;

/** What a tool or an agent returned. Tagged, because a list of parts is JSON too. */
export type Output =
  | { readonly type: 'json'; readonly value: Json }
  | { readonly type: 'content'; readonly parts: readonly Part[] };

export type Role = 'system' | 'user' | 'assistant' | 'tool';

/**
 * One message. Immutable once appended. `id` is unique in its run (`runId`); `callId`s in its parts too, so that a
 * request to a model makes ids unique from both (`wireCallId`).
 */
export interface Message {
  readonly id: string;
  readonly runId?: string | undefined;
  readonly role: Role;
  readonly parts: readonly Part[];
  /** The agent that wrote it. */
  readonly agent?: string | undefined;
}

/** Parts whose texts have no half of a surrogate pair: what a person or a tool cut inside a character. */
export function wellFormedParts(parts: readonly Part[]): readonly Part[] {
  return parts.every((part) => part.type !== 'text' || part.text.isWellFormed())
    ? parts
    : parts.map((part) =>
        part.type === 'text' ? { ...part, text: part.text.toWellFormed() } : part,
      );
}

/** The text of a message: its text parts joined. */
export function textOf(message: Message): string {
  let text = '';
  for (const part of message.parts) if (part.type === 'text') text += part.text;
  return text;
}

/** What a model reads of an output: text as it is, other JSON as JSON text, content as its text parts. */
export function outputText(output: Output): string {
  if (output.type === 'json') {
    return typeof output.value === 'string' ? output.value : JSON.stringify(output.value);
  }
  let text = '';
  for (const part of output.parts) if (part.type === 'text') text += part.text;
  return text;
}

/**
 * A call id for a request to a model: unique in the request whatever runs its messages come from, `[A-Za-z0-9_-]`, at
 * most 40 characters (journal.md, Names). A provider uses its vendor's own id instead where it has one, unique in the
 * request.
 */
export function wireCallId(runId: string | undefined, callId: string): string {
  const call = callId.replaceAll('.', '_');
  const run = (runId ?? '').replaceAll(/[^A-Za-z0-9]/g, '');
  const room = 40 - call.length - 1;
  return room > 0 && run !== '' ? `${run.slice(-Math.min(room, 22))}_${call}` : call.slice(-40);
}
