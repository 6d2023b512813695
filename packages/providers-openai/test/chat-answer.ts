import type { ServerAnswer } from '@agent-functions/core/testing';
import { chunk, delta, done, halves } from './wire-events.ts';

// Answers of Chat Completions; reasoning as compatible servers and Azure's other models send it.

/** The chunks of an answer. */
export function chatChunks(reply: ServerAnswer): string[] {
  const surprise = reply.unknownEvents === true ? [chunk({ object: 'surprise', text: 'no' })] : [];
  const chunks = (reply.reasoning?.text ?? []).map((text) => delta({ reasoning_content: text }));
  for (const content of reply.text ?? [])
    chunks.push(delta({ content, surprise: 'no' }), ...surprise);
  if (reply.refusal !== undefined) {
    for (const refusal of halves(reply.refusal)) chunks.push(delta({ refusal }));
  }
  for (const [index, { id, toolName, input }] of (reply.calls ?? []).entries()) {
    const [first, second] = halves(input);
    const named = { index, id, type: 'function', function: { name: toolName, arguments: first } };
    chunks.push(delta({ tool_calls: [named] }));
    chunks.push(delta({ tool_calls: [{ index, function: { arguments: second } }] }));
  }
  chunks.push(delta({}, chatFinish[reply.finish]));
  if (reply.noUsage !== true) {
    chunks.push(chunk({ id: 'chatcmpl-1', choices: [], usage: chatUsage(reply) }));
  }
  chunks.push(done);
  return chunks;
}

/** An answer in one piece. */
export function chatBody(reply: ServerAnswer): object {
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: reply.text?.join('') ?? null,
          reasoning_content: reply.reasoning?.text.join(''),
          refusal: reply.refusal ?? null,
          tool_calls: reply.calls?.map(({ id, toolName, input }) => ({
            id,
            type: 'function',
            function: { name: toolName, arguments: input },
          })),
        },
        finish_reason: chatFinish[reply.finish],
      },
    ],
    usage: chatUsage(reply),
  };
}

const chatFinish = {
  stop: 'stop',
  'tool-calls': 'tool_calls',
  length: 'length',
  'content-filter': 'content_filter',
  other: 'surprise',
} as const;

function chatUsage({ usage }: ServerAnswer): object {
  const { inputTokens = 1, outputTokens = 1, cachedInputTokens, reasoningTokens } = usage ?? {};
  return {
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
    prompt_tokens_details: { cached_tokens: cachedInputTokens },
    completion_tokens_details: { reasoning_tokens: reasoningTokens },
  };
}
