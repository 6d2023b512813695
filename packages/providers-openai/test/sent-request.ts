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

function flag(value: unknown): boolean | undefined {
  return typeof value === 'boolean' ? value : undefined;
}

/** A body of Chat Completions or of Responses. */
export function readRequest(body: unknown): SentRequest {
  const sent = fields(body);
  const common = {
    toolChoice: toolChoice(sent['tool_choice']),
    parallelToolCalls: flag(sent['parallel_tool_calls']),
    temperature: number(sent['temperature']),
    topP: number(sent['top_p']),
    stop: Array.isArray(sent['stop']) ? sent['stop'].map(text) : undefined,
    seed: number(sent['seed']),
    tools: list(sent['tools']).map((tool) =>
      text(tool['name'] ?? fields(tool['function'])['name']),
    ),
    stream: sent['stream'] === true,
  };
  return 'messages' in sent ? chat(sent, common) : responses(sent, common);
}

type Common = Pick<SentRequest, 'tools' | 'stream'> & Partial<SentRequest>;

function chat(sent: Fields, common: Common): SentRequest {
  const [first, ...rest] = list(sent['messages']);
  const all = first === undefined ? [] : [first, ...rest];
  const instructed = first?.['role'] === 'system';
  return {
    ...common,
    instructions: instructed ? contentText(first?.['content']) : '',
    messages: (instructed ? rest : all).map((message) => ({
      role: roleOf(message['role']),
      text: contentText(message['content']) + text(message['refusal']),
    })),
    files: all.flatMap((message) => contentFiles(message['content'])),
    maxTokens: number(sent['max_completion_tokens'] ?? sent['max_tokens']),
    output: fields(fields(sent['response_format'])['json_schema'])['schema'],
  };
}

function responses(sent: Fields, common: Common): SentRequest {
  const items = list(sent['input']);
  return {
    ...common,
    instructions: text(sent['instructions']),
    messages: items.flatMap((item): SentRequest['messages'] => {
      if (item['type'] === 'function_call_output') {
        return [{ role: 'tool', text: contentText(item['output']) }];
      }
      return item['role'] === undefined
        ? []
        : [{ role: roleOf(item['role']), text: contentText(item['content']) }];
    }),
    files: items.flatMap((item) => contentFiles(item['content'] ?? item['output'])),
    maxTokens: number(sent['max_output_tokens']),
    output: fields(fields(sent['text'])['format'])['schema'],
  };
}

function contentText(content: unknown): string {
  if (typeof content === 'string') return content;
  return list(content)
    .map((piece) => text(piece['text']))
    .join('');
}

function contentFiles(content: unknown): SentRequest['files'] {
  if (typeof content === 'string') return [];
  return list(content).flatMap((piece): SentRequest['files'] => {
    const file = fields(piece['file']);
    const audio = fields(piece['input_audio']);
    if (audio['data'] !== undefined) return [{ data: text(audio['data']) }];
    const url = piece['image_url'] ?? piece['file_url'] ?? piece['file_data'] ?? file['file_data'];
    const where = typeof url === 'string' ? url : text(fields(url)['url']);
    if (where === '') return [];
    const data = /^data:([^;]+);base64,(.*)$/s.exec(where);
    return [data === null ? { url: where } : { mediaType: data[1], data: data[2] }];
  });
}

function roleOf(role: unknown): SentRequest['messages'][number]['role'] {
  switch (role) {
    case 'assistant':
    case 'tool':
    case 'system':
      return role;
    default:
      return role === 'developer' ? 'system' : 'user';
  }
}

function toolChoice(choice: unknown): SentRequest['toolChoice'] {
  if (choice === 'auto' || choice === 'required' || choice === 'none') return choice;
  const name = fields(choice)['name'] ?? fields(fields(choice)['function'])['name'];
  return typeof name === 'string' ? { name } : undefined;
}
