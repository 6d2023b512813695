import { isJsonArray, isJsonObject, type Json, type JsonObject } from '@agent-functions/core';

/**
 * Marks what the next request will repeat, so that the vendor keeps it: the tools, the instructions, and the end of the
 * last two turns of the user (a mark finds an earlier one at most 20 blocks back, and many calls at once are more). Four
 * marks, the most there may be. What is shorter than the model's least is not kept and costs nothing.
 *
 * The history is marked where another turn is likely: there are tools, or it is not the first question.
 *
 * Source: https://platform.claude.com/docs/en/build-with-claude/prompt-caching
 */
export function withCacheMarks(body: JsonObject, ttl: '5m' | '1h'): JsonObject {
  const mark: JsonObject = { type: 'ephemeral', ...(ttl === '5m' ? {} : { ttl }) };
  const { tools, system, messages } = body;
  const out: { [key: string]: Json } = { ...body };
  if (isJsonArray(tools)) out['tools'] = withLastMarked(tools, mark);
  if (isJsonArray(system)) out['system'] = withLastMarked(system, mark);
  if (isJsonArray(messages) && (isJsonArray(tools) || messages.length > 1)) {
    const last = messages.length - 1;
    out['messages'] = messages.map((turn, index) =>
      index === last || index === last - 2 ? marked(turn, mark) : turn,
    );
  }
  return out;
}

function marked(turn: Json, mark: JsonObject): Json {
  const content = isJsonObject(turn) ? turn['content'] : undefined;
  if (!isJsonObject(turn) || !isJsonArray(content)) return turn;
  return { ...turn, content: withLastMarked(content, mark) };
}

function withLastMarked(blocks: readonly Json[], mark: JsonObject): readonly Json[] {
  const last = blocks.at(-1);
  if (!isJsonObject(last)) return blocks;
  return [...blocks.slice(0, -1), { ...last, cache_control: mark }];
}
