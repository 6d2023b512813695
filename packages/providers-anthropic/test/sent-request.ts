import {
  numberOf as number,
  recordOf as fields,
  recordsOf as list,
  stringOf,
  type Fields,
} from '@agent-functions/core/provider';
import type { SentRequest } from '@agent-functions/core/testing';

// What a request body says, read back into no vendor's words.

function text(value: unknown): string {
  return stringOf(value) ?? '';
}

/** A body of the Messages API. */
export function readRequest(body: unknown): SentRequest {
  const sent = fields(body);
  const turns = list(sent['messages']);
  const choice = fields(sent['tool_choice']);
  const disabled = choice['disable_parallel_tool_use'];
  const stop = sent['stop_sequences'];
  return {
    instructions: list(sent['system'])
      .map((block) => text(block['text']))
      .join('\n'),
    messages: turns.map(({ role, content }) => ({
      role: role === 'assistant' ? 'assistant' : 'user',
      text: contentText(content),
    })),
    files: turns.flatMap(({ content }) => contentFiles(content)),
    tools: list(sent['tools']).map((tool) => text(tool['name'])),
    toolChoice: toolChoice(choice),
    parallelToolCalls: disabled === undefined ? undefined : disabled !== true,
    temperature: number(sent['temperature']),
    topP: number(sent['top_p']),
    maxTokens: number(sent['max_tokens']),
    stop: Array.isArray(stop) ? stop.map(text) : undefined,
    seed: number(sent['seed']),
    output: fields(fields(sent['output_config'])['format'])['schema'],
    stream: sent['stream'] === true,
  };
}

function contentText(content: unknown): string {
  if (typeof content === 'string') return content;
  return list(content)
    .map((block) => text(block['text']) + contentText(block['content']))
    .join('');
}

function contentFiles(content: unknown): SentRequest['files'] {
  return list(content).flatMap((block): SentRequest['files'] => {
    if (block['type'] === 'tool_result') return contentFiles(block['content']);
    const source = fields(block['source']);
    if (block['source'] === undefined) return [];
    const url = text(source['url']);
    return [
      url === '' ? { mediaType: text(source['media_type']), data: text(source['data']) } : { url },
    ];
  });
}

function toolChoice(choice: Fields): SentRequest['toolChoice'] {
  switch (choice['type']) {
    case 'auto':
    case 'none':
      return choice['type'];
    case 'any':
      return 'required';
    case 'tool':
      return { name: text(choice['name']) };
    default:
      return undefined;
  }
}
