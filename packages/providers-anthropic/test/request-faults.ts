import { isJsonArray, isJsonObject, type Json, type JsonObject } from '@agent-functions/core';

/**
 * What is wrong with the body of a `POST /v1/messages`, by what Anthropic documents; nothing for a legal one.
 *
 * Sources: `MessageCreateParams` and what it holds in the SDK (resources/messages/messages.d.ts, 1.12), and under
 * https://platform.claude.com/docs/en/: api/errors (common validation errors), agents-and-tools/tool-use/define-tools and
 * handle-tool-calls, build-with-claude/structured-outputs#json-schema-limitations, prompt-caching, thinking.
 */
export function requestFaults(sent: unknown): readonly string[] {
  const problems: string[] = [];
  const say = (problem: string): void => void problems.push(problem);
  const text = JSON.stringify(sent);
  const body: Json = JSON.parse(text);
  if (!isJsonObject(body)) return ['the body is not an object'];

  for (const name of Object.keys(body)) if (!fields.has(name)) say(`unknown field ${name}`);
  if (typeof body['model'] !== 'string' || body['model'] === '') say('model is missing');
  const maxTokens = body['max_tokens'];
  if (typeof maxTokens !== 'number' || !Number.isInteger(maxTokens) || maxTokens < 1) {
    say(`max_tokens: ${JSON.stringify(maxTokens)}`);
  }
  checkThinking(body, say);
  checkTools(body, say);
  checkSystem(body['system'], say);
  checkMessages(body['messages'], say);
  const marks = text.match(/"cache_control":/g)?.length ?? 0;
  if (marks > 4) say(`${marks} cache_control marks; 4 are the most`);
  for (const stop of list(body['stop_sequences'])) {
    if (typeof stop !== 'string' || stop.trim() === '') say('a stop sequence of white space');
  }
  const output = body['output_config'];
  if (isJsonObject(output)) {
    const { effort, format } = output;
    const levels: readonly Json[] = ['low', 'medium', 'high', 'xhigh', 'max'];
    if (effort !== undefined && !levels.includes(effort)) say(`effort ${JSON.stringify(effort)}`);
    if (format !== undefined) {
      if (!isJsonObject(format) || format['type'] !== 'json_schema') say('output_config.format');
      else checkStrict(format['schema'], 'output_config.format.schema', say);
    }
  }
  return problems;
}

type Say = (problem: string) => void;

const fields = new Set([
  'model',
  'max_tokens',
  'messages',
  'system',
  'tools',
  'tool_choice',
  'thinking',
  'output_config',
  'stop_sequences',
  'stream',
  'metadata',
  'service_tier',
  'container',
  'cache_control',
  'inference_geo',
  'speed',
  'diagnostics',
]);

function show(value: Json | undefined): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null);
}

function list(value: Json | undefined): readonly Json[] {
  return isJsonArray(value) ? value : [];
}

function checkThinking(body: JsonObject, say: Say): void {
  const { thinking, tool_choice: choice, max_tokens: maxTokens } = body;
  if (thinking === undefined) return;
  if (!isJsonObject(thinking)) return say('thinking is not an object');
  const { type, budget_tokens: budget } = thinking;
  if (type === 'enabled') {
    if (typeof budget !== 'number' || budget < 1024)
      say(`budget_tokens: ${JSON.stringify(budget)}`);
    else if (typeof maxTokens === 'number' && budget >= maxTokens) {
      say(`budget_tokens ${budget} is not below max_tokens ${maxTokens}`);
    }
    const [answer, results] = list(body['messages']).slice(-2);
    const first = (turn: Json | undefined): Json | undefined =>
      isJsonObject(turn) && isJsonArray(turn['content']) && isJsonObject(turn['content'][0])
        ? turn['content'][0]['type']
        : undefined;
    if (first(results) === 'tool_result' && !show(first(answer)).endsWith('thinking')) {
      say('thinking enabled after calls made without');
    }
    if (isJsonObject(choice) && (choice['type'] === 'any' || choice['type'] === 'tool')) {
      say('a tool is forced with thinking enabled');
    }
  } else if (type !== 'adaptive' && type !== 'disabled' && type !== 'between_tools') {
    say(`thinking.type: ${JSON.stringify(type)}`);
  } else if (budget !== undefined) say(`budget_tokens with thinking.type ${type}`);
}

function checkTools(body: JsonObject, say: Say): void {
  const { tools, tool_choice: choice } = body;
  if (tools !== undefined && list(tools).length === 0) say('tools is empty');
  if (tools === undefined && JSON.stringify(body['messages'] ?? null).includes('"tool_use"')) {
    say('calls in the history without tools');
  }
  if (choice !== undefined) {
    if (tools === undefined) say('tool_choice without tools');
    if (!isJsonObject(choice)) return say('tool_choice is not an object');
    const types: readonly Json[] = ['auto', 'any', 'tool', 'none'];
    if (!types.includes(choice['type'] ?? null)) say(`tool_choice ${JSON.stringify(choice)}`);
  }
  const names = new Set<Json>();
  let strict = 0;
  for (const tool of list(tools)) {
    if (!isJsonObject(tool)) return say('a tool is not an object');
    const { name, type, input_schema: schema } = tool;
    if (typeof name !== 'string' || !/^[a-zA-Z0-9_-]{1,128}$/.test(name)) {
      say(`the name of a tool: ${JSON.stringify(name)}`);
    } else if (names.has(name)) say(`two tools named ${name}`);
    else names.add(name);
    if (type !== undefined && type !== 'custom') continue;
    if (!isJsonObject(schema) || schema['type'] !== 'object') {
      say(`input_schema of ${show(name)} is not of type object`);
      continue;
    }
    for (const union of ['anyOf', 'oneOf', 'allOf']) {
      if (schema[union] !== undefined)
        say(`input_schema of ${show(name)} has ${union} at its root`);
    }
    if (tool['strict'] !== true) continue;
    strict++;
    checkStrict(schema, `input_schema of ${show(name)}`, say);
  }
  if (strict > 20) say(`${strict} strict tools; 20 are the most`);
}

const strictKeywords = new Set([
  'type',
  'title',
  'description',
  'properties',
  'required',
  'additionalProperties',
  'items',
  'minItems',
  'enum',
  'const',
  'anyOf',
  'allOf',
  '$ref',
  '$defs',
  'definitions',
  'format',
  'default',
]);

function checkStrict(schema: Json | undefined, where: string, say: Say): void {
  if (!isJsonObject(schema)) return say(`${where} is not an object`);
  for (const name of Object.keys(schema)) {
    if (!strictKeywords.has(name)) say(`${where}: the keyword ${name} is not supported`);
  }
  if (schema['type'] === 'object' && schema['additionalProperties'] !== false) {
    say(`${where}: additionalProperties is not false`);
  }
  const { minItems } = schema;
  if (minItems !== undefined && minItems !== 0 && minItems !== 1)
    say(`${where}: minItems ${show(minItems)}`);
  for (const name of ['properties', '$defs', 'definitions']) {
    const inner = schema[name];
    if (!isJsonObject(inner)) continue;
    for (const [key, one] of Object.entries(inner)) checkStrict(one, `${where}.${key}`, say);
  }
  if (schema['items'] !== undefined) checkStrict(schema['items'], `${where}[]`, say);
  for (const one of list(schema['anyOf'])) checkStrict(one, `${where}|`, say);
}

function checkSystem(system: Json | undefined, say: Say): void {
  if (system === undefined || typeof system === 'string') return;
  if (list(system).length === 0) say('system is empty');
  for (const block of list(system)) {
    if (!isJsonObject(block) || block['type'] !== 'text') say('system holds more than text');
    else checkText(block, 'system', say);
  }
}

function checkText(block: JsonObject, where: string, say: Say): void {
  const { text } = block;
  if (typeof text !== 'string' || text.trim() === '') say(`${where}: a text block without text`);
}

function checkMessages(messages: Json | undefined, say: Say): void {
  const turns = list(messages);
  if (turns.length === 0) say('messages is empty');
  let due: readonly Json[] = [];
  const ids = new Set<Json>();
  for (const [index, turn] of turns.entries()) {
    const where = `messages.${index}`;
    if (!isJsonObject(turn)) return say(`${where} is not an object`);
    const { role } = turn;
    if (role !== (index % 2 === 0 ? 'user' : 'assistant')) say(`${where}: roles do not alternate`);
    const content = list(turn['content']).filter(isJsonObject);
    if (content.length === 0) say(`${where}: no content`);
    checkResults(content, due, where, say);
    due = [];
    for (const block of content) {
      if (role === 'user') checkUserBlock(block, where, say);
      else checkAssistantBlock(block, where, say);
      if (block['type'] !== 'tool_use') continue;
      const { id = null } = block;
      if (ids.has(id)) say(`${where}: the id ${JSON.stringify(id)} is there twice`);
      ids.add(id);
      due = [...due, id];
    }
    const last = content.at(-1)?.['type'];
    if (role === 'assistant' && (last === 'thinking' || last === 'redacted_thinking')) {
      say(`${where}: ends with thinking`);
    }
    // An answer to be continued: only one that the vendor itself paused, after a call of its own tools.
    if (index === turns.length - 1 && role === 'assistant') {
      if (!content.some(({ type }) => type === 'server_tool_use'))
        say('the last turn is an answer');
    }
  }
  if (due.length > 0) say('the last calls have no results');
}

/** Every result directly after its call, before anything else, and none without one. */
function checkResults(
  content: readonly JsonObject[],
  due: readonly Json[],
  where: string,
  say: Say,
): void {
  const results = content.filter(({ type }) => type === 'tool_result');
  const given = results.map(({ tool_use_id: id = null }) => id);
  for (const id of due)
    if (!given.includes(id)) say(`${where}: no result of ${JSON.stringify(id)}`);
  for (const id of given)
    if (!due.includes(id)) say(`${where}: an orphan result ${JSON.stringify(id)}`);
  if (new Set(given).size < given.length) say(`${where}: two results of one call`);
  if (content.slice(0, results.length).some(({ type }) => type !== 'tool_result')) {
    say(`${where}: tool results do not come first`);
  }
}

function checkUserBlock(block: JsonObject, where: string, say: Say): void {
  switch (block['type']) {
    case 'text':
      if (list(block['citations']).length > 0) say(`${where}: citations in a user message`);
      return checkText(block, where, say);
    case 'image':
    case 'document':
      return checkSource(block, where, say);
    case 'tool_result': {
      const { content, is_error: isError } = block;
      for (const one of list(content)) {
        if (!isJsonObject(one)) say(`${where}: a result's block is not an object`);
        else if (one['type'] === 'text') checkText(one, where, say);
        else if (isError === true) say(`${where}: a failed tool's result holds more than text`);
        else checkSource(one, where, say);
      }
      return;
    }
    default:
      return say(`${where}: ${show(block['type'])} in a user message`);
  }
}

function checkSource(block: JsonObject, where: string, say: Say): void {
  const { type, source } = block;
  if (!isJsonObject(source)) return say(`${where}: no source`);
  const { type: kind, media_type: mediaType = '', url, data, file_id: id } = source;
  if (kind === 'url') {
    if (typeof url !== 'string' || !url.startsWith('https://')) say(`${where}: url ${show(url)}`);
  } else if (kind === 'file') {
    if (typeof id !== 'string') say(`${where}: no file_id`);
  } else if (kind === 'text') {
    if (type !== 'document' || mediaType !== 'text/plain') say(`${where}: a text source`);
  } else if (kind === 'base64') {
    const taken =
      type === 'image'
        ? /^image\/(jpeg|png|gif|webp)$/.test(show(mediaType))
        : mediaType === 'application/pdf';
    if (!taken) say(`${where}: ${show(type)} of ${show(mediaType)}`);
    if (typeof data !== 'string' || data === '') say(`${where}: no data`);
  } else say(`${where}: source ${show(kind)}`);
}

function checkAssistantBlock(block: JsonObject, where: string, say: Say): void {
  switch (block['type']) {
    case 'text':
      return checkText(block, where, say);
    case 'thinking':
      if (typeof block['thinking'] !== 'string') say(`${where}: thinking without its text`);
      if (typeof block['signature'] !== 'string' || block['signature'] === '') {
        say(`${where}: thinking without a signature`);
      }
      if (block['cache_control'] !== undefined) say(`${where}: cache_control on thinking`);
      return;
    case 'redacted_thinking':
      if (typeof block['data'] !== 'string') say(`${where}: redacted thinking without data`);
      return;
    case 'tool_use': {
      const { id, input } = block;
      if (typeof id !== 'string' || !/^[a-zA-Z0-9_-]+$/.test(id)) say(`${where}: id ${show(id)}`);
      if (!isJsonObject(input)) say(`${where}: the input of a call is not an object`);
      return;
    }
    default:
      if (!/^(server_tool_use|container_upload|\w+_tool_result)$/.test(show(block['type']))) {
        say(`${where}: ${show(block['type'])} in an answer`);
      }
  }
}
