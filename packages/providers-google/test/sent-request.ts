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

/** A body of `generateContent`, and whether it was sent to `streamGenerateContent`. */
export function readRequest(body: unknown, stream: boolean): SentRequest {
  const sent = fields(body);
  const config = fields(sent['generationConfig']);
  const contents = list(sent['contents']);
  const parts = contents.flatMap(partsOf);
  return {
    instructions: partsOf(fields(sent['systemInstruction']))
      .map((part) => text(part['text']))
      .join(''),
    messages: contents.map((content) => ({ role: roleOf(content), text: textOf(content) })),
    files: [
      ...parts,
      ...parts.flatMap((part) => list(fields(part['functionResponse'])['parts'])),
    ].flatMap(fileOf),
    tools: list(sent['tools']).flatMap((tool) =>
      list(tool['functionDeclarations']).map(({ name }) => text(name)),
    ),
    toolChoice: choiceOf(fields(fields(sent['toolConfig'])['functionCallingConfig'])),
    temperature: number(config['temperature']),
    topP: number(config['topP']),
    maxTokens: number(config['maxOutputTokens']),
    stop: Array.isArray(config['stopSequences']) ? config['stopSequences'].map(text) : undefined,
    seed: number(config['seed']),
    output: config['responseJsonSchema'],
    stream,
  };
}

function partsOf(content: Fields): readonly Fields[] {
  return list(content['parts']);
}

function roleOf(content: Fields): SentRequest['messages'][number]['role'] {
  if (content['role'] === 'model') return 'assistant';
  return partsOf(content).some((part) => part['functionResponse'] !== undefined) ? 'tool' : 'user';
}

function textOf(content: Fields): string {
  return partsOf(content)
    .map((part) => {
      const { output, error } = fields(fields(part['functionResponse'])['response']);
      const result = output ?? error;
      if (result === undefined) return text(part['text']);
      return typeof result === 'string' ? result : JSON.stringify(result);
    })
    .join('');
}

function fileOf(part: Fields): SentRequest['files'] {
  const { inlineData, fileData } = part;
  if (inlineData === undefined && fileData === undefined) return [];
  const data = fields(inlineData)['data'];
  const url = fields(fileData)['fileUri'];
  return [
    {
      mediaType: text(fields(inlineData ?? fileData)['mimeType']),
      ...(data === undefined ? {} : { data: text(data) }),
      ...(url === undefined ? {} : { url: text(url) }),
    },
  ];
}

function choiceOf({ mode, allowedFunctionNames: names }: Fields): SentRequest['toolChoice'] {
  switch (mode) {
    case 'AUTO':
      return 'auto';
    case 'NONE':
      return 'none';
    case 'ANY':
      return Array.isArray(names) ? { name: text(names[0]) } : 'required';
    default:
      return undefined;
  }
}

/** The ids of calls and results, in the request's order. */
export function callIds(body: unknown) {
  const parts = list(fields(body)['contents']).flatMap(partsOf);
  const of = (name: string): readonly Fields[] =>
    parts.flatMap((part) => (part[name] === undefined ? [] : [fields(part[name])]));
  return {
    calls: of('functionCall').map(({ id, name }) => ({ id: text(id), toolName: text(name) })),
    results: of('functionResponse').map(({ id, response }) => ({
      id: text(id),
      text: JSON.stringify(response),
    })),
  };
}
