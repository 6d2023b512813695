import { shown } from './check-options.ts';
import { UserError } from './errors.ts';
import type { HandoffPrimitive, History } from './handoff.ts';
import { isJsonObject, type Json, type JsonObject } from './json.ts';
import type { Message, Part, ProviderData } from './message.ts';
import type { RunContext } from './run-context.ts';
import type { FrameState } from './frame.ts';

// What travels in a handoff: which messages, which of the request's context, and the request itself.

/** The messages that a `history` selects; calls and their results stay together. */
export function selectHistory<C>(
  messages: readonly Message[],
  history: History<C>,
  context: RunContext<C>,
): readonly Message[] | Promise<readonly Message[]> {
  if (history === 'none') return [];
  const whole = wholePairs(messages);
  if (history === 'full') return whole;
  if (typeof history !== 'function') return wholePairs(lastOf(whole, history.last));
  const chosen = history(whole, context);
  return chosen instanceof Promise ? chosen.then(chosenPairs) : chosenPairs(chosen);
}

// Plain JavaScript may answer anything.
function chosenPairs(chosen: readonly Message[]): readonly Message[] {
  const fits = Array.isArray(chosen) && chosen.every((one) => Array.isArray(Object(one).parts));
  if (fits) return wholePairs(chosen);
  throw new UserError(
    `The history function answered ${shown(chosen)}; it must answer a list of messages, some of those that it was given or others with role and parts.`,
  );
}

function lastOf(messages: readonly Message[], count: number): readonly Message[] {
  if (count === 0) return [];
  let start = Math.max(0, messages.length - count);
  // Results mean nothing without their calls.
  while (start > 0 && messages[start]?.role === 'tool') start -= 1;
  return messages.slice(start);
}

/** Without calls that have no result there, and results that have no call: no vendor takes them. */
function wholePairs(messages: readonly Message[]): readonly Message[] {
  const calls = new Set<string>();
  const results = new Set<string>();
  for (const message of messages) {
    for (const part of message.parts) {
      if (part.type === 'tool-call') calls.add(keyOf(message, part.callId));
      if (part.type === 'tool-result') results.add(keyOf(message, part.callId));
    }
  }
  if (calls.size === 0 && results.size === 0) return messages;
  return keptParts(messages, (part, message) => {
    if (part.type === 'tool-call') return results.has(keyOf(message, part.callId));
    return part.type !== 'tool-result' || calls.has(keyOf(message, part.callId));
  });
}

function keyOf({ runId }: Message, callId: string): string {
  return `${runId ?? ''} ${callId}`;
}

/** Without what is private to a vendor, unless it is the target's own: reasoning, signatures, ids. */
export function withoutPrivate(
  messages: readonly Message[],
  provider: string | undefined,
): readonly Message[] {
  const own = (data: ProviderData | undefined): ProviderData | undefined => {
    const kept = provider === undefined ? undefined : data?.[provider];
    return provider === undefined || kept === undefined ? undefined : { [provider]: kept };
  };
  return keptParts(
    messages,
    (part) => part.type !== 'reasoning' || own(part.providerData) !== undefined,
    (part) => {
      if (part.providerData === undefined) return part;
      const { providerData, ...rest } = part;
      const kept = own(providerData);
      if (kept !== undefined) return { ...rest, providerData: kept };
      return rest.type === 'file' && rest.data === undefined && rest.url === undefined
        ? { type: 'text', text: `(The file ${rest.name ?? rest.mediaType} is not here.)` }
        : rest;
    },
  );
}

/** A frame's messages as its model gets them: what other agents said in earlier turns comes without their vendors' data. */
export function shownTo(
  {
    agent,
    messages,
    parent,
  }: Pick<FrameState, 'agent' | 'parent'> & { readonly messages: readonly Message[] },
  provider: string | undefined,
): readonly Message[] {
  // What was handed over was stripped when it was recorded.
  const foreign = (one: Message) => one.agent !== undefined && one.agent !== agent;
  if (parent !== undefined || !messages.some(foreign)) return messages.slice();
  return messages.flatMap((one) => (foreign(one) ? withoutPrivate([one], provider) : [one]));
}

// A message without parts, or with thoughts only, says nothing: it is left out. No vendor takes thoughts that lead nowhere.
function keptParts(
  messages: readonly Message[],
  keep: (part: Part, message: Message) => boolean,
  change: (part: Part) => Part = (part) => part,
): readonly Message[] {
  return messages.flatMap((message) => {
    const parts = message.parts.filter((part) => keep(part, message)).map(change);
    if (parts.every(({ type }) => type === 'reasoning')) return [];
    // Messages are shared, not copied, where they travel as they are.
    const same = parts.length === message.parts.length;
    return same && parts.every((part, index) => part === message.parts[index])
      ? [message]
      : [{ ...message, parts }];
  });
}

/** Of the request's context, what `contextKeys` name. */
export function selectContext(
  context: JsonObject,
  keys: readonly string[] | undefined,
): JsonObject {
  if (keys === undefined) return context;
  return Object.fromEntries(
    keys.flatMap((key) => {
      const value = Object.hasOwn(context, key) ? context[key] : undefined;
      return value === undefined ? [] : [[key, value]];
    }),
  );
}

/** What the target is asked, as a text: the message with its context, a text as it is, anything else as JSON. */
export function inputText(input: Json, primitive: HandoffPrimitive, from: string): string {
  const text = plainText(input);
  return primitive === 'transfer' ? `${from} handed this conversation over to you: ${text}` : text;
}

function plainText(input: Json): string {
  if (typeof input === 'string') return input;
  if (!isJsonObject(input)) return JSON.stringify(input);
  const { message, reason: _, context, ...rest } = input;
  if (typeof message !== 'string' || Object.keys(rest).length > 0) return JSON.stringify(input);
  return context === undefined || context === null
    ? message
    : `${message}\n\nContext: ${JSON.stringify(context)}`;
}

/** Why, where the input says so. */
export function reasonOf(input: Json): string | undefined {
  const reason = isJsonObject(input) ? input['reason'] : undefined;
  return typeof reason === 'string' && reason !== '' ? reason : undefined;
}
