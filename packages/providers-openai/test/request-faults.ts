// What OpenAI documents of a request (https://platform.openai.com/docs/api-reference/chat/create and …/responses/create,
// https://platform.openai.com/docs/guides/structured-outputs), with the fields of the SDK's own types
// (openai/resources/chat/completions/completions.d.ts, openai/resources/responses/responses.d.ts). The real API answers
// each of these faults with a 400.

type Fields = { readonly [key: string]: unknown };

/** What is wrong with a request's body. */
export function requestFaults(body: unknown): readonly string[] {
  if (!isFields(body)) return ['The body is no object.'];
  const faults: string[] = [];
  const check = (holds: boolean, fault: string): void => {
    if (!holds) faults.push(fault);
  };
  check(text(body['model']) !== '', 'model is missing.');
  between(body['temperature'], 0, 2, 'temperature', check);
  between(body['top_p'], 0, 1, 'top_p', check);
  const tools = list(body['tools']);
  const choice = body['tool_choice'];
  check(choice === undefined || tools.length > 0, 'tool_choice without tools.');
  check(
    body['parallel_tool_calls'] === undefined || tools.length > 0,
    'parallel_tool_calls without tools.',
  );
  check(
    body['tools'] === undefined || (tools.length > 0 && tools.length <= 128),
    'tools: 1 to 128.',
  );
  if ('messages' in body) chatFaults(body, check);
  else responsesFaults(body, check);
  return faults;
}

type Check = (holds: boolean, fault: string) => void;

// Chat Completions

const chatOnly = ['input', 'instructions', 'text', 'max_output_tokens', 'include', 'reasoning'];

function chatFaults(body: Fields, check: Check): void {
  for (const name of chatOnly) check(!(name in body), `${name} is no field of Chat Completions.`);
  const messages = list(body['messages']);
  check(messages.length > 0, 'messages is empty.');
  check(
    body['stream'] === true || body['stream_options'] === undefined,
    'stream_options without stream.',
  );
  check(
    body['max_tokens'] === undefined || body['max_completion_tokens'] === undefined,
    'max_tokens and max_completion_tokens.',
  );
  const { stop } = body;
  check(
    stop === undefined || typeof stop === 'string' || list(stop).length <= 4,
    'stop: at most 4.',
  );
  for (const tool of list(body['tools'])) {
    if (field(tool, 'type') === 'function') functionFaults(field(tool, 'function'), check);
  }
  const format = field(body, 'response_format');
  if (field(format, 'type') === 'json_schema') {
    const spec = field(format, 'json_schema');
    check(isName(field(spec, 'name')), 'response_format.json_schema.name.');
    schemaFaults(field(spec, 'schema'), field(spec, 'strict') === true, 'response_format', check);
  }
  let open = new Set<string>();
  for (const [index, message] of messages.entries()) {
    const at = `messages[${index}]`;
    const role = field(message, 'role');
    const content = field(message, 'content');
    if (role === 'tool') {
      const id = text(field(message, 'tool_call_id'));
      check(open.delete(id), `${at}: the result ${id} does not follow the message with its call.`);
      check(typeof content === 'string' || list(content).length > 0, `${at}: content.`);
      continue;
    }
    check(open.size === 0, `${at}: the calls ${[...open].join(', ')} before it have no result.`);
    open = new Set();
    switch (role) {
      case 'system':
      case 'developer':
        check(isContent(content, ['text']), `${at}: content of a system message.`);
        break;
      case 'user':
        check(isContent(content, ['text', 'image_url', 'input_audio', 'file']), `${at}: content.`);
        break;
      case 'assistant': {
        const calls = field(message, 'tool_calls');
        check(calls === undefined || list(calls).length > 0, `${at}: tool_calls is empty.`);
        check(
          isContent(content, ['text', 'refusal']) ||
            ((content === null || content === undefined) &&
              (calls !== undefined || typeof field(message, 'refusal') === 'string')),
          `${at}: an assistant message without content, calls and refusal.`,
        );
        for (const call of list(calls)) {
          const id = text(field(call, 'id'));
          check(isId(id), `${at}: the id of a call is ${JSON.stringify(id)}.`);
          check(!open.has(id), `${at}: two calls ${id}.`);
          open.add(id);
          check(field(call, 'type') === 'function', `${at}: the type of a call.`);
          const called = field(call, 'function');
          check(isName(field(called, 'name')), `${at}: the name of a call.`);
          check(typeof field(called, 'arguments') === 'string', `${at}: arguments are no text.`);
        }
        break;
      }
      default:
        check(false, `${at}: the role ${JSON.stringify(role)}.`);
    }
  }
  check(open.size === 0, `The calls ${[...open].join(', ')} at the end have no result.`);
}

// Responses

const responsesOnly = [
  'messages',
  'stop',
  'seed',
  'max_tokens',
  'max_completion_tokens',
  'response_format',
  'reasoning_effort',
  'stream_options.include_usage',
];
const includes = new Set([
  'web_search_call.action.sources',
  'web_search_call.results',
  'code_interpreter_call.outputs',
  'computer_call_output.output.image_url',
  'file_search_call.results',
  'message.input_image.image_url',
  'message.output_text.logprobs',
  'reasoning.encrypted_content',
]);

function responsesFaults(body: Fields, check: Check): void {
  for (const name of responsesOnly) check(!(name in body), `${name} is no field of Responses.`);
  const items = list(body['input']);
  check(items.length > 0 || typeof body['input'] === 'string', 'input is empty.');
  for (const one of list(body['include']))
    check(includes.has(text(one)), `include: ${String(one)}.`);
  for (const tool of list(body['tools'])) {
    if (field(tool, 'type') !== 'function') continue;
    functionFaults(tool, check);
    check(typeof field(tool, 'strict') === 'boolean', 'tools[].strict must be said.');
  }
  const format = field(field(body, 'text'), 'format');
  if (field(format, 'type') === 'json_schema') {
    check(isName(field(format, 'name')), 'text.format.name.');
    schemaFaults(field(format, 'schema'), field(format, 'strict') === true, 'text.format', check);
  }
  const calls = new Set<string>();
  const results = new Set<string>();
  for (const [index, item] of items.entries()) {
    const at = `input[${index}]`;
    const id = text(field(item, 'call_id'));
    switch (field(item, 'type')) {
      case undefined:
      case 'message':
        messageFaults(item, at, check);
        break;
      case 'function_call':
        check(isId(id) && !calls.has(id), `${at}: the id of a call is ${JSON.stringify(id)}.`);
        calls.add(id);
        check(isName(field(item, 'name')), `${at}: the name of a call.`);
        check(typeof field(item, 'arguments') === 'string', `${at}: arguments are no text.`);
        break;
      case 'function_call_output': {
        const output = field(item, 'output');
        check(calls.has(id), `${at}: the result ${id} has no call before it.`);
        check(!results.has(id), `${at}: two results ${id}.`);
        results.add(id);
        check(
          typeof output === 'string' ||
            isContent(output, ['input_text', 'input_image', 'input_file']),
          `${at}: output.`,
        );
        break;
      }
      case 'reasoning':
        check(Array.isArray(field(item, 'summary')), `${at}: reasoning without summary.`);
        check(
          body['store'] !== false || typeof field(item, 'encrypted_content') === 'string',
          `${at}: reasoning that is neither stored nor encrypted.`,
        );
        check(
          body['store'] !== false || field(item, 'id') === undefined,
          `${at}: the id of an item that was not stored.`,
        );
        check(index < items.length - 1, `${at}: reasoning that nothing follows.`);
        break;
      default:
    }
  }
  for (const id of calls) check(results.has(id), `The call ${id} has no result.`);
}

function messageFaults(item: unknown, at: string, check: Check): void {
  const role = field(item, 'role');
  const content = field(item, 'content');
  switch (role) {
    case 'assistant':
      check(isContent(content, ['output_text', 'refusal']), `${at}: content of an answer.`);
      break;
    case 'user':
    case 'system':
    case 'developer':
      check(isContent(content, ['input_text', 'input_image', 'input_file']), `${at}: content.`);
      break;
    default:
      check(false, `${at}: the role ${JSON.stringify(role)}.`);
  }
}

// Both

function functionFaults(tool: unknown, check: Check): void {
  const name = field(tool, 'name');
  check(isName(name), `The name of a tool is ${JSON.stringify(name)}.`);
  const schema = field(tool, 'parameters');
  check(field(schema, 'type') === 'object', `The parameters of ${text(name)} are no object.`);
  schemaFaults(schema, field(tool, 'strict') === true, `the tool ${text(name)}`, check);
}

// https://platform.openai.com/docs/guides/structured-outputs#supported-schemas
const notStrict = ['allOf', 'not', 'dependentRequired', 'dependentSchemas', 'if', 'then', 'else'];

function schemaFaults(schema: unknown, strict: boolean, where: string, check: Check): void {
  check(isFields(schema), `The schema of ${where} is no object.`);
  if (!strict || !isFields(schema)) return;
  check(schema['anyOf'] === undefined, `Strict ${where}: anyOf at the root.`);
  strictFaults(schema, where, check);
}

function strictFaults(schema: unknown, where: string, check: Check): void {
  if (!isFields(schema)) return;
  for (const name of notStrict) check(!(name in schema), `Strict ${where}: ${name}.`);
  const properties = schema['properties'];
  if (schema['type'] === 'object' || isFields(properties)) {
    check(schema['additionalProperties'] === false, `Strict ${where}: additionalProperties.`);
    const required = list(schema['required']);
    for (const name of Object.keys(isFields(properties) ? properties : {})) {
      check(required.includes(name), `Strict ${where}: ${name} is not required.`);
    }
  }
  for (const group of ['properties', '$defs', 'definitions']) {
    const inner = schema[group];
    for (const one of Object.values(isFields(inner) ? inner : {})) strictFaults(one, where, check);
  }
  for (const one of list(schema['anyOf'])) strictFaults(one, where, check);
  strictFaults(schema['items'], where, check);
}

function between(value: unknown, low: number, high: number, name: string, check: Check): void {
  if (value === undefined) return;
  check(typeof value === 'number' && value >= low && value <= high, `${name}: ${low} to ${high}.`);
}

function isContent(content: unknown, types: readonly string[]): boolean {
  if (typeof content === 'string') return true;
  const parts = list(content);
  return parts.length > 0 && parts.every((part) => types.includes(text(field(part, 'type'))));
}

function isName(name: unknown): boolean {
  return typeof name === 'string' && /^[a-zA-Z0-9_-]{1,64}$/.test(name);
}

function isId(id: string): boolean {
  return id !== '' && id.length <= 64;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function field(value: unknown, name: string): unknown {
  return isFields(value) ? value[name] : undefined;
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
