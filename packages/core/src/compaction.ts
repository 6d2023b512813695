import { checkCount } from './check-number.ts';
import { checkOptions, type OptionKinds } from './check-options.ts';
import { UserError } from './errors.ts';
import type { Compaction, EventBase, RunEventOf } from './events.ts';
import type { FrameState } from './frame.ts';
import type { Message, Part, ToolResultPart } from './message.ts';
import type { RunState } from './state.ts';

// What models are no longer shown of a long conversation. The journal keeps it.

type CompactionBody = Omit<RunEventOf<'compaction'>, keyof EventBase>;

/** Without `keepLast`, the results of the last three calls or so stay. */
const uncleared = 6;

/** What a cleared result reads like. */
const cleared = '(cleared)';

const kinds: OptionKinds<Compaction> = {
  trigger: 'any',
  keepLast: 'any',
  clearToolResults: 'flag',
};
const triggerKinds: OptionKinds<Compaction['trigger']> = { messages: 'any', tokens: 'any' };

/** @throws UserError for a compaction that could not work. */
export function checkCompaction(compaction: Compaction | undefined): void {
  if (compaction === undefined) return;
  checkOptions('compaction', compaction, kinds);
  const { trigger, keepLast, clearToolResults } = compaction;
  checkOptions('compaction.trigger', trigger, triggerKinds);
  checkCount('compaction.trigger.messages', trigger.messages, 1);
  checkCount('compaction.trigger.tokens', trigger.tokens, 1);
  checkCount('compaction.keepLast', keepLast, 1);
  if (trigger.messages === undefined && trigger.tokens === undefined) {
    throw new UserError('compaction.trigger says nothing. Write { messages }, { tokens } or both.');
  }
  if (keepLast === undefined && clearToolResults !== true) {
    throw new UserError(
      'compaction would leave nothing out. Write keepLast, clearToolResults: true, or both.',
    );
  }
}

/**
 * What is due before the next turn of a frame, or when a model has said how many tokens it read; `undefined`: nothing, or
 * nothing can go.
 */
export function dueCompaction(
  { options: { compaction } }: RunState,
  frame: FrameState,
  inputTokens?: number,
): CompactionBody | undefined {
  if (compaction === undefined) return undefined;
  const { trigger } = compaction;
  const due =
    inputTokens === undefined
      ? frame.messages.length > (trigger.messages ?? Number.POSITIVE_INFINITY)
      : inputTokens > (trigger.tokens ?? Number.POSITIVE_INFINITY);
  return due ? planCompaction(frame.messages, compaction, latestCut(frame)) : undefined;
}

// Whoever was given the word keeps the whole of what it was asked; who took a conversation over, what the user asked, too.
function latestCut({ parent, main, request, messages }: FrameState): number {
  const [asked] = request;
  if (parent === undefined) return messages.length;
  if (asked === undefined) return 0;
  return messages.indexOf(asked) - (main && asked.agent !== undefined ? 1 : 0);
}

/** What can go of these messages; `undefined` when nothing can. */
export function planCompaction(
  messages: readonly Message[],
  { keepLast, clearToolResults }: Compaction,
  latest: number = messages.length,
): CompactionBody | undefined {
  let start = 0;
  if (keepLast !== undefined) {
    start = Math.min(messages.length - keepLast, latest);
    while (start > 0 && !canBegin(messages, start)) start -= 1;
    start = Math.max(0, start);
  }
  const from = messages[start];
  const limit = messages.length - (keepLast ?? uncleared);
  const before = messages[limit];
  let results = 0;
  if (clearToolResults === true && before !== undefined && placeOf(messages, before) === limit) {
    for (const message of messages.slice(start, limit)) {
      if (message.role === 'tool') results += message.parts.filter(isUncleared).length;
    }
  }
  if (start === 0 && results === 0) return undefined;
  return {
    type: 'compaction',
    removed: start,
    ...(start === 0 || from === undefined ? {} : { from: refOf(from) }),
    cleared: results,
    ...(results === 0 || before === undefined ? {} : { clearedBefore: refOf(before) }),
  };
}

/** These messages as a compaction leaves them. */
export function compacted(
  messages: readonly Message[],
  { from, clearedBefore }: Pick<CompactionBody, 'from' | 'clearedBefore'>,
  runId = '',
): readonly Message[] {
  // What is not here comes later, if it is of this run; else it went before.
  const place = (ref: MessageRef | undefined): number => {
    if (ref === undefined) return 0;
    const found = placeOf(messages, ref);
    return found === -1 ? (ref.runId === runId ? messages.length : 0) : found;
  };
  const limit = place(clearedBefore);
  const start = place(from);
  return messages.flatMap((message, index) => {
    if (index < start) return [];
    return [index < limit && message.role === 'tool' ? withoutResults(message) : message];
  });
}

/** Takes a compaction into the state: the frame's models are shown less, and the session keeps less. */
export function applyCompaction(state: RunState, event: RunEventOf<'compaction'>): void {
  const frame = state.frames.get(event.frame);
  if (frame === undefined) return;
  frame.messages = [...compacted(frame.messages, event)];
  if (!frame.main) return;
  const base = state.keptBase ?? state.base;
  const kept = compacted(base, event, state.runId);
  if (kept.length < base.length || kept.some((one, index) => one !== base[index])) {
    state.keptBase = kept;
  }
  const { clearedBefore } = event;
  const own = compacted(state.newMessages, { clearedBefore });
  for (const [index, message] of own.entries()) state.newMessages[index] = message;
}

type MessageRef = Pick<Message, 'id' | 'runId'>;

function refOf({ runId, id }: Message): MessageRef {
  return runId === undefined ? { id } : { runId, id };
}

function placeOf(messages: readonly Message[], { runId, id }: MessageRef): number {
  return messages.findLastIndex((one) => one.id === id && one.runId === runId);
}

/** What core itself says to a model as a user: that an answer does not fit, how to improve it, what agents answered. */
const madeHere = /^f0[.\d]*\.(?:t\d+\.[vf]|a)$/;

// Calls stay with their results, and answers with what was asked.
function canBegin(messages: readonly Message[], index: number): boolean {
  const message = messages[index];
  return (
    message?.role === 'user' && !madeHere.test(message.id) && placeOf(messages, message) === index
  );
}

function isUncleared(part: Part): part is ToolResultPart {
  return (
    part.type === 'tool-result' && !(part.output.type === 'json' && part.output.value === cleared)
  );
}

function withoutResults(message: Message): Message {
  if (!message.parts.some(isUncleared)) return message;
  const parts = message.parts.map((part): Part => {
    if (!isUncleared(part)) return part;
    const { type, callId, toolName, isError } = part;
    const output = { type: 'json', value: cleared } as const;
    return { type, callId, toolName, output, ...(isError === undefined ? {} : { isError }) };
  });
  return { ...message, parts };
}
