// What Ollama documents of a request: `ChatRequest` in https://docs.ollama.com/openapi.yaml, the same type of the SDK
// (ollama/dist/browser.d.ts), and https://docs.ollama.com/capabilities/tool-calling for the order of messages.

type Fields = { readonly [key: string]: unknown };

const roles = new Set(['system', 'user', 'assistant', 'tool']);
const requestFields = new Set([
  'model',
  'messages',
  'tools',
  'format',
  'options',
  'stream',
  'think',
  'keep_alive',
  'logprobs',
  'top_logprobs',
]);
const messageFields = new Set(['role', 'content', 'thinking', 'images', 'tool_calls', 'tool_name']);
const numbers = ['temperature', 'top_p', 'min_p', 'repeat_penalty'];
const integers = ['seed', 'num_predict', 'num_ctx', 'top_k', 'num_gpu', 'num_keep'];

/** What is wrong with the body of a `POST /api/chat`. Fields that a test puts in by hand begin with `x_`. */
export function requestFaults(body: unknown): readonly string[] {
  if (!isFields(body)) return ['The body is not an object.'];
  const faults: string[] = [];
  const wrong = (holds: boolean, fault: string): void => {
    if (!holds) faults.push(fault);
  };
  for (const name of Object.keys(body)) {
    wrong(requestFields.has(name) || name.startsWith('x_'), `There is no field ${name}.`);
  }
  const { model, messages, tools, format, options, stream, think, keep_alive: keepAlive } = body;
  wrong(typeof model === 'string' && model !== '', 'The model has no name.');
  wrong(Array.isArray(messages) && messages.length > 0, 'There are no messages.');
  wrong(typeof stream === 'boolean', 'It does not say whether to stream.');
  wrong(format === undefined || format === 'json' || isFields(format), 'format is no schema.');
  const levels: readonly unknown[] = [undefined, true, false, 'low', 'medium', 'high'];
  wrong(levels.includes(think), `think is ${JSON.stringify(think)}.`);
  wrong(
    keepAlive === undefined || typeof keepAlive === 'number' || typeof keepAlive === 'string',
    'keep_alive is no duration.',
  );
  return [
    ...faults,
    ...optionFaults(options),
    ...list(messages).flatMap(messageFaults),
    ...orderFaults(list(messages)),
    ...list(tools).flatMap(toolFaults),
  ];
}

function optionFaults(options: unknown): readonly string[] {
  if (options === undefined) return [];
  if (!isFields(options)) return ['options are not an object.'];
  return Object.entries(options).flatMap(([name, value]) => {
    if (name === 'stop') return isTexts(value) ? [] : ['stop is no list of texts.'];
    if (integers.includes(name)) return Number.isInteger(value) ? [] : [`${name} is no integer.`];
    if (numbers.includes(name)) return typeof value === 'number' ? [] : [`${name} is no number.`];
    return [`There is no option ${name}.`];
  });
}

function messageFaults(message: Fields, at: number): readonly string[] {
  const { role, content, images, thinking, tool_calls: calls, tool_name: name } = message;
  const where = `Message ${at} (${String(role)})`;
  return [
    ...Object.keys(message).flatMap((field) =>
      messageFields.has(field) ? [] : [`${where} has a field ${field}.`],
    ),
    ...(roles.has(String(role)) ? [] : [`${where} has no known role.`]),
    ...(typeof content === 'string' ? [] : [`${where} has no content.`]),
    ...(thinking === undefined || (typeof thinking === 'string' && role === 'assistant')
      ? []
      : [`${where} cannot think.`]),
    ...(images === undefined || (isTexts(images) && images.every(isBase64))
      ? []
      : [`${where} has images that are not base64.`]),
    ...(calls === undefined || role === 'assistant' ? [] : [`${where} cannot call tools.`]),
    ...(calls === undefined || (Array.isArray(calls) && calls.length > 0)
      ? []
      : [`${where} has an empty list of calls.`]),
    ...list(calls).flatMap((call) => {
      const said = isFields(call['function']) ? call['function'] : {};
      return [
        ...(typeof said['name'] === 'string' && said['name'] !== '' ? [] : [`${where}: no name.`]),
        ...(isFields(said['arguments']) ? [] : [`${where}: arguments are not an object.`]),
      ];
    }),
    ...((role === 'tool') === (typeof name === 'string' && name !== '')
      ? []
      : [`${where}: tool_name belongs to results, and they need it.`]),
  ];
}

/** Results stand right after the message that called, in its order: there are no ids that could match them. */
function orderFaults(messages: readonly Fields[]): readonly string[] {
  const faults: string[] = [];
  let open: string[] = [];
  for (const [at, message] of messages.entries()) {
    if (message['role'] === 'tool') {
      const next = open.shift();
      if (next !== message['tool_name']) {
        faults.push(
          `Message ${at} is a result of ${String(message['tool_name'])}, not of ${next}.`,
        );
      }
      continue;
    }
    if (open.length > 0) faults.push(`Message ${at} comes before the results of ${open.join()}.`);
    open = list(message['tool_calls']).map((call) =>
      isFields(call['function']) ? String(call['function']['name']) : '',
    );
  }
  return open.length > 0 ? [...faults, `The results of ${open.join()} are missing.`] : faults;
}

function toolFaults(tool: Fields): readonly string[] {
  const said = isFields(tool['function']) ? tool['function'] : {};
  const { name, description, parameters } = said;
  const where = `The tool ${String(name)}`;
  return [
    ...(tool['type'] === 'function' ? [] : [`${where} is no function.`]),
    ...(typeof name === 'string' && name !== '' ? [] : ['A tool has no name.']),
    ...(description === undefined || typeof description === 'string' ? [] : [`${where}: text.`]),
    ...(isFields(parameters) &&
    parameters['type'] === 'object' &&
    isFields(parameters['properties'])
      ? schemaFaults(parameters, where)
      : [`${where} has no parameters.`]),
  ];
}

/** What the server cannot read into its `ToolProperty`, or would leave out before the model sees it. */
function schemaFaults(schema: unknown, where: string): readonly string[] {
  if (!isFields(schema)) return [`${where}: a schema that is not an object.`];
  const unread = ['$ref', '$defs', 'definitions', 'const', 'oneOf', 'allOf'];
  const { properties, items, anyOf, description, enum: values } = schema;
  return [
    ...unread.flatMap((name) => (name in schema ? [`${where}: ${name} is not read.`] : [])),
    ...(description === undefined || typeof description === 'string' ? [] : [`${where}: text.`]),
    ...(values === undefined || Array.isArray(values) ? [] : [`${where}: enum is no list.`]),
    ...Object.values(isFields(properties) ? properties : {}).flatMap((one) =>
      schemaFaults(one, where),
    ),
    ...(items === undefined ? [] : schemaFaults(items, where)),
    ...list(anyOf).flatMap((one) => schemaFaults(one, where)),
  ];
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function list(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.map((one: unknown) => (isFields(one) ? one : {})) : [];
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}

function isBase64(text: string): boolean {
  return /^[A-Za-z0-9+/]+={0,2}$/.test(text);
}
