import type { Fields } from '@agent-functions/core/provider';
import { traitsOf } from '../src/model-traits.ts';

/**
 * What the vendor would refuse in a request, in its raw form. The rules are those of the types and docstrings of
 * `@google/genai` 3.1 (dist/genai.d.ts: Content, Part, FunctionCall, FunctionResponse, FunctionDeclaration,
 * FunctionCallingConfig, GenerateContentConfig.responseJsonSchema, ThinkingConfig), of
 * https://ai.google.dev/api/generate-content and /api/caching (field names), and of the guides on function calling (a
 * turn of calls follows a user's turn, its results follow at once and are as many), thought signatures (Gemini 3: the
 * first call of each step of the current turn), thinking (levels and budgets by model) and structured output.
 */
export function problemsOf(request: {
  readonly method: string;
  readonly url: string;
  readonly headers: { readonly [name: string]: string | readonly string[] | undefined };
  readonly body: string;
}): string[] {
  const problems: string[] = [];
  const say = (problem: string): void => void problems.push(problem);
  if (request.method !== 'POST') say(`method ${request.method}`);
  if (request.headers['content-type'] !== 'application/json') say('content-type is not JSON');
  const proofs = ['x-goog-api-key', 'authorization'].filter(
    (name) => request.headers[name] !== undefined,
  );
  if (proofs.length !== 1) say(`one proof of who asks, not ${proofs.length}`);
  const url = urls.exec(request.url);
  if (url === null) say(`unknown path ${request.url}`);
  if (url?.groups?.['stream'] !== undefined && !request.url.endsWith('?alt=sse')) {
    say('a stream without alt=sse');
  }
  const body: unknown = JSON.parse(request.body);
  return [...problems, ...bodyProblems(body, url?.groups?.['model'] ?? '')];
}

/** What the vendor would refuse in the body of a request for this model. */
export function bodyProblems(body: unknown, model: string): string[] {
  if (!isFields(body)) return ['the body is no object'];
  const problems: string[] = [];
  const say = (problem: string): void => void problems.push(problem);
  const { generation, family } = traitsOf(model);
  const modern = generation === undefined || generation >= 3;
  keys(body, topLevel, 'the body', say);
  checkContents(body['contents'], modern && generation !== undefined, say);
  checkSystem(body['systemInstruction'], say);
  const names = checkTools(body['tools'], say);
  checkToolConfig(body['toolConfig'], names, say);
  checkConfig(body['generationConfig'], { modern, family, tools: names.length > 0 }, say);
  return problems;
}

type Say = (problem: string) => void;

const urls =
  /^(?:\/proxy)?\/v1(?:alpha|beta|beta1)?\/(?:projects\/[^/]+\/locations\/[^/]+\/)?(?:publishers\/google\/)?models\/(?<model>[^/:]+):(?:(?<stream>streamGenerateContent)|generateContent)/;

const topLevel = [
  'contents',
  'systemInstruction',
  'tools',
  'toolConfig',
  'generationConfig',
  'safetySettings',
  'cachedContent',
  'labels',
  'serviceTier',
];

function checkContents(contents: unknown, signed: boolean, say: Say): void {
  if (!Array.isArray(contents) || contents.length === 0) return say('contents are required');
  const list: Fields[] = contents.filter((one) => isFields(one));
  if (list.length !== contents.length) say('a content is no object');
  const turns = list.map((content) => turnOf(content, say));
  for (const [index, turn] of turns.entries()) {
    const before = turns[index - 1];
    const after = turns[index + 1];
    if (turn.role === 'model' && before?.role === 'model') say('two turns of the model together');
    if (turn.role === 'user' && before?.role === 'user' && !turn.results === !before.results) {
      say('two turns of the user together that could be one');
    }
    if (turn.calls.length > 0) checkCalls(turn, before, after, say);
    if (turn.results && before?.calls.length !== turn.responses.length) {
      say(`${turn.responses.length} results after ${before?.calls.length ?? 0} calls`);
    }
  }
  if (turns[0]?.role !== 'user') say('the first turn is not the user’s');
  if (turns.at(-1)?.role === 'model') say('the last turn is the model’s');
  if (signed) {
    const begin = turns.findLastIndex(({ role, results }) => role === 'user' && !results);
    for (const turn of turns.slice(begin + 1)) {
      if (turn.calls.length > 0 && !turn.signed) say('a call of this turn is not signed');
    }
  }
}

interface Turn {
  readonly role: unknown;
  readonly calls: readonly Fields[];
  readonly responses: readonly Fields[];
  readonly results: boolean;
  /** Its first call has a signature. */
  readonly signed: boolean;
}

const dataOf = [
  'text',
  'inlineData',
  'fileData',
  'functionCall',
  'functionResponse',
  'executableCode',
  'codeExecutionResult',
  'toolCall',
  'toolResponse',
];

function turnOf(content: Fields, say: Say): Turn {
  keys(content, ['role', 'parts'], 'a content', say);
  const { role, parts } = content;
  if (role !== 'user' && role !== 'model') say(`role ${String(role)}`);
  if (!Array.isArray(parts) || parts.length === 0) say('a content without parts');
  const list: Fields[] = Array.isArray(parts) ? parts.filter((one) => isFields(one)) : [];
  for (const part of list) checkPart(part, role, say);
  const calls = list.filter((one) => one['functionCall'] !== undefined);
  const responses = list.flatMap((one) =>
    isFields(one['functionResponse']) ? [one['functionResponse']] : [],
  );
  if (responses.length > 0 && responses.length < list.length) say('results beside other parts');
  return {
    role,
    calls: calls.flatMap((one) => (isFields(one['functionCall']) ? [one['functionCall']] : [])),
    responses,
    results: responses.length > 0,
    signed: typeof calls[0]?.['thoughtSignature'] === 'string',
  };
}

function checkPart(part: Fields, role: unknown, say: Say): void {
  keys(part, [...dataOf, 'thought', 'thoughtSignature'], 'a part', say);
  const data = dataOf.filter((name) => part[name] !== undefined);
  if (data.length !== 1) say(`a part with ${data.length} kinds of data`);
  if (part['text'] === '' && part['thoughtSignature'] === undefined) say('an empty text');
  if ((part['thought'] ?? part['thoughtSignature']) !== undefined && role !== 'model') {
    say('a thought that is not the model’s');
  }
  const { functionCall: call, functionResponse: response } = part;
  if (isFields(call)) {
    keys(call, ['id', 'name', 'args'], 'a functionCall', say);
    if (role !== 'model') say('a functionCall that is not the model’s');
    if (!isName(call['name'])) say(`a function named ${String(call['name'])}`);
    if (!isFields(call['args'])) say('args that are no object');
  }
  if (isFields(response)) {
    keys(response, ['id', 'name', 'response', 'parts'], 'a functionResponse', say);
    if (role !== 'user') say('a functionResponse that is not the user’s');
    if (!isFields(response['response'])) say('a response that is no object');
  }
  checkFile(part, say);
  const parts = isFields(response) ? response['parts'] : undefined;
  for (const one of Array.isArray(parts) ? parts : []) if (isFields(one)) checkFile(one, say);
}

function checkFile({ inlineData, fileData }: Fields, say: Say): void {
  if (isFields(inlineData)) {
    keys(inlineData, ['mimeType', 'data'], 'inlineData', say);
    if (!/^[\w.+-]+\/[\w.+-]+$/.test(String(inlineData['mimeType']))) say('inlineData: mimeType');
    if (!/^[\w+/]+={0,2}$/.test(String(inlineData['data']))) say('inlineData: not base64');
  }
  if (isFields(fileData)) {
    keys(fileData, ['mimeType', 'fileUri'], 'fileData', say);
    if (!/^(https|gs):\/\//.test(String(fileData['fileUri']))) say('fileData: no https or gs');
  }
}

function checkCalls(turn: Turn, before: Turn | undefined, after: Turn | undefined, say: Say): void {
  if (before?.role !== 'user') say('calls that follow no turn of the user');
  if (after?.results !== true) return say('calls without results');
  const ids = turn.calls.map(({ id }) => id);
  if (sorted(turn.calls, 'id') !== sorted(after.responses, 'id')) say('results of other ids');
  if (ids.some((id) => id !== undefined) && new Set(ids).size !== ids.length) say('ids repeat');
  if (sorted(turn.calls, 'name') !== sorted(after.responses, 'name')) say('results of others');
}

function sorted(list: readonly Fields[], key: string): string {
  return JSON.stringify(
    list.map((one) => JSON.stringify(one[key]) ?? '').toSorted((a, b) => (a < b ? -1 : 1)),
  );
}

function checkSystem(system: unknown, say: Say): void {
  if (system === undefined) return;
  const parts = isFields(system) ? system['parts'] : undefined;
  const texts = Array.isArray(parts) && parts.length > 0 ? parts : [undefined];
  for (const part of texts) {
    if (!isFields(part) || typeof part['text'] !== 'string' || part['text'] === '') {
      say('systemInstruction is text');
    }
  }
}

/** The names of the functions. */
function checkTools(tools: unknown, say: Say): string[] {
  if (tools === undefined) return [];
  if (!Array.isArray(tools) || tools.length === 0) {
    say('tools are a list');
    return [];
  }
  const names: string[] = [];
  for (const tool of tools) {
    const declarations = isFields(tool) ? tool['functionDeclarations'] : undefined;
    for (const one of Array.isArray(declarations) ? declarations : []) {
      if (!isFields(one)) continue;
      keys(one, ['name', 'description', 'parametersJsonSchema'], 'a declaration', say);
      const { name, parametersJsonSchema: schema } = one;
      if (!isName(name)) say(`a function named ${String(name)}`);
      if (names.includes(String(name))) say(`two functions named ${String(name)}`);
      names.push(String(name));
      if (schema === undefined) continue;
      if (!isFields(schema)) say('a schema is an object');
      else {
        if (schema['type'] !== 'object') say('parameters are an object');
        checkSchema(schema, say);
      }
    }
  }
  return names;
}

function checkToolConfig(config: unknown, names: readonly string[], say: Say): void {
  if (config === undefined) return;
  const calling = isFields(config) ? config['functionCallingConfig'] : undefined;
  if (!isFields(calling)) return say('toolConfig without functionCallingConfig');
  keys(calling, ['mode', 'allowedFunctionNames'], 'functionCallingConfig', say);
  const { mode, allowedFunctionNames: allowed } = calling;
  if (!['AUTO', 'ANY', 'NONE', 'VALIDATED'].includes(String(mode))) say(`mode ${String(mode)}`);
  if (names.length === 0) say('toolConfig without functions');
  if (allowed === undefined) return;
  if (mode !== 'ANY') say('allowedFunctionNames without ANY');
  for (const name of Array.isArray(allowed) ? allowed : []) {
    if (!names.includes(String(name))) say(`no function ${String(name)}`);
  }
}

const configKeys = [
  'temperature',
  'topP',
  'topK',
  'maxOutputTokens',
  'stopSequences',
  'seed',
  'thinkingConfig',
  'responseMimeType',
  'responseJsonSchema',
  'mediaResolution',
  'responseModalities',
];

function checkConfig(
  config: unknown,
  model: { readonly modern: boolean; readonly family: unknown; readonly tools: boolean },
  say: Say,
): void {
  if (config === undefined) return;
  if (!isFields(config)) return say('generationConfig is an object');
  keys(config, configKeys, 'generationConfig', say);
  const { stopSequences: stops, responseJsonSchema: schema, thinkingConfig: thinking } = config;
  if (Array.isArray(stops) && stops.length > 5) say('more than 5 stopSequences');
  if (schema !== undefined) {
    if (config['responseMimeType'] !== 'application/json') say('a schema without its mime type');
    if (!model.modern && model.tools)
      say('Function calling with a response mime type: unsupported');
    if (isFields(schema)) checkSchema(schema, say);
  }
  if (!isFields(thinking)) return;
  keys(thinking, ['thinkingLevel', 'thinkingBudget', 'includeThoughts'], 'thinkingConfig', say);
  const { thinkingLevel: level, thinkingBudget: budget } = thinking;
  if (level !== undefined && budget !== undefined) say('thinkingLevel and thinkingBudget');
  if (level !== undefined) {
    if (!model.modern) say('thinkingLevel before Gemini 3');
    if (typeof level !== 'string' || !/^(MINIMAL|LOW|MEDIUM|HIGH)$/.test(level)) {
      say(`thinkingLevel ${JSON.stringify(level)}`);
    }
  }
  if (budget !== undefined) {
    const least = model.family === 'pro' ? 128 : model.family === 'flash-lite' ? 512 : 1;
    const number = Number(budget);
    if (!(number === -1 || (number === 0 && model.family !== 'pro')) && number < least) {
      say(`thinkingBudget ${number}`);
    }
    if (number > 24_576) say(`thinkingBudget ${number}`);
  }
}

const keywords = [
  '$id',
  '$defs',
  '$ref',
  '$anchor',
  'type',
  'format',
  'title',
  'description',
  'enum',
  'items',
  'prefixItems',
  'minItems',
  'maxItems',
  'minimum',
  'maximum',
  'anyOf',
  'oneOf',
  'properties',
  'additionalProperties',
  'required',
  'propertyOrdering',
];

/** The keywords of `responseJsonSchema`'s docstring, its rule for `$ref`, and that `enum` is of strings and numbers. */
export function checkSchema(schema: Fields, say: Say): void {
  keys(schema, keywords, 'a schema', say);
  if (schema['$ref'] !== undefined && Object.keys(schema).some((key) => !key.startsWith('$'))) {
    say('a keyword beside $ref');
  }
  const { enum: values } = schema;
  for (const value of Array.isArray(values) ? values : []) {
    if (typeof value !== 'string' && typeof value !== 'number') say('enum of other than text');
  }
  for (const key of ['properties', '$defs']) {
    const named = schema[key];
    for (const one of isFields(named) ? Object.values(named) : []) checkSub(one, say);
  }
  for (const key of ['anyOf', 'oneOf', 'prefixItems']) {
    const list = schema[key];
    for (const one of Array.isArray(list) ? list : []) checkSub(one, say);
  }
  if (schema['items'] !== undefined) checkSub(schema['items'], say);
  const rest = schema['additionalProperties'];
  if (rest !== undefined && typeof rest !== 'boolean') checkSub(rest, say);
}

function checkSub(schema: unknown, say: Say): void {
  if (isFields(schema)) checkSchema(schema, say);
  else say('a schema is an object');
}

function isName(name: unknown): boolean {
  return typeof name === 'string' && /^[A-Za-z_][\w.:-]{0,127}$/.test(name);
}

function keys(fields: Fields, allowed: readonly string[], what: string, say: Say): void {
  for (const key of Object.keys(fields)) if (!allowed.includes(key)) say(`${what} has no ${key}`);
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
