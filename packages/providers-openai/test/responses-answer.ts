import type { ServerAnswer } from '@agent-functions/core/testing';
import { event, halves } from './wire-events.ts';

// Answers of the Responses API.

function items(reply: ServerAnswer): { readonly [key: string]: unknown }[] {
  const content = [
    ...(reply.text === undefined
      ? []
      : [{ type: 'output_text', text: reply.text.join(''), annotations: [] }]),
    ...(reply.refusal === undefined ? [] : [{ type: 'refusal', refusal: reply.refusal }]),
  ];
  return [
    ...(reply.reasoning === undefined ? [] : [reasoningItem(reply.reasoning)]),
    ...(content.length === 0 ? [] : [{ type: 'message', id: 'msg_1', role: 'assistant', content }]),
    ...(reply.calls ?? []).map(({ id, toolName, input }) => ({
      type: 'function_call',
      call_id: id,
      name: toolName,
      arguments: input,
    })),
  ];
}

function reasoningItem({ text, proof }: NonNullable<ServerAnswer['reasoning']>) {
  return {
    type: 'reasoning',
    id: 'rs_1',
    summary: [{ type: 'summary_text', text: text.join('') }],
    encrypted_content: proof ?? 'gAAAA-opaque',
  };
}

const incomplete = {
  stop: undefined,
  'tool-calls': undefined,
  length: 'max_output_tokens',
  'content-filter': 'content_filter',
  other: 'surprise',
};

/** An answer in one piece. */
export function responsesBody(reply: ServerAnswer): { readonly [key: string]: unknown } {
  const { usage, finish } = reply;
  const { inputTokens = 1, outputTokens = 1, cachedInputTokens, reasoningTokens } = usage ?? {};
  const whole = finish === 'stop' || finish === 'tool-calls';
  return {
    id: 'resp_1',
    object: 'response',
    status: whole ? 'completed' : 'incomplete',
    incomplete_details: whole ? null : { reason: incomplete[finish] },
    output: items(reply),
    ...(reply.noUsage === true
      ? {}
      : {
          usage: {
            input_tokens: inputTokens,
            output_tokens: outputTokens,
            total_tokens: inputTokens + outputTokens,
            input_tokens_details: { cached_tokens: cachedInputTokens },
            output_tokens_details: { reasoning_tokens: reasoningTokens },
          },
        }),
  };
}

/** The events of an answer. */
export function responsesChunks(reply: ServerAnswer): string[] {
  const chunks: string[] = [];
  let before = event({ type: 'response.created', response: { id: 'resp_1' } });
  const push = (text: string): void => {
    chunks.push(before + text);
    before = reply.unknownEvents === true ? event({ type: 'response.surprise', delta: 'no' }) : '';
  };
  for (const [output_index, item] of items(reply).entries()) {
    before += event({
      type: 'response.output_item.added',
      output_index,
      item: { ...item, content: [], arguments: '' },
    });
    if (item['type'] === 'reasoning') {
      for (const delta of reply.reasoning?.text ?? []) {
        push(
          event({
            type: 'response.reasoning_summary_text.delta',
            output_index,
            summary_index: 0,
            delta,
          }),
        );
      }
    } else if (item['type'] === 'message') {
      for (const delta of reply.text ?? []) {
        push(event({ type: 'response.output_text.delta', output_index, delta }));
      }
      if (reply.refusal !== undefined) {
        push(event({ type: 'response.refusal.delta', output_index, delta: reply.refusal }));
      }
    } else {
      for (const delta of halves(String(item['arguments']))) {
        push(event({ type: 'response.function_call_arguments.delta', output_index, delta }));
      }
    }
    push(event({ type: 'response.output_item.done', output_index, item }));
  }
  const response = responsesBody(reply);
  push(event({ type: `response.${String(response['status'])}`, response }));
  return chunks;
}
