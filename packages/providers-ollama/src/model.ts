import {
  withSettings,
  type LLMConfig,
  type Model,
  type ModelCallOptions,
  type ModelCapabilities,
  type ModelRequest,
} from '@agent-functions/core';
import { AnswerStream, orAborted, type AnswerCall } from '@agent-functions/core/provider';
import { ollamaApi, type Api } from './api.ts';
import { errorContext, toModelError } from './errors.ts';
import { fromBody, streamReader } from './from-stream.ts';
import { toSettings, type OllamaOptions, type Settings } from './options.ts';
import { toRequest } from './to-request.ts';

/**
 * A model of an Ollama server: `ollama('qwen3')`, `ollama('gpt-oss:20b', { host: 'http://gpu-box:11434' })`. Also the
 * factory for `models({ ollama })`.
 *
 * Does no I/O: the environment is read and the SDK loaded when the model is first asked.
 *
 * @throws UserError for an option that does not exist, or without a name.
 */
export function ollama(model: string | LLMConfig, options?: OllamaOptions): Model {
  const settings = toSettings(model, options);
  const api = ollamaApi(settings);
  const made: Model = {
    provider: 'ollama',
    modelId: settings.model,
    capabilities: capabilitiesOf(settings.model),
    stream: (request, call) => ask(api, settings, request, call),
    ready: () => api.missing(),
  };
  const { defaults } = settings;
  return Object.keys(defaults).length === 0 ? made : withSettings(made, defaults);
}

// Families that are published with a vision encoder only (https://ollama.com/search?c=vision).
const seeing = /llava|bakllava|moondream|minicpm-v|vision|[-\d]vl\b|-ocr\b|llama4/i;

// Families of the library, by their whole name, that are published without a vision encoder, and those whose template
// has no tools: the server answers 400 "does not support tools" (https://ollama.com/library, and issues 5793 and 9680 of
// ollama/ollama). Models of others, with a name before a slash, may differ.
const blind =
  /^(codegemma|codellama|deepseek-r1|gemma|gemma2|gpt-oss|llama2|llama3|llama3\.[123]|mixtral|phi|phi3|qwen2|qwen2\.5|qwen2\.5-coder|qwen3|qwen3-coder|tinyllama|vicuna)(:|$)/i;
const toolless =
  /^(bakllava|codegemma|codellama|gemma|gemma2|gemma3|llama2|llama3|llava|moondream|phi|phi3|tinyllama|vicuna)(:|$)/i;

/** Tools are offered by no grammar, so that no schema is strict; what a model of another name can is not known. */
function capabilitiesOf(model: string): ModelCapabilities {
  return {
    ...(toolless.test(model) ? { tools: false } : {}),
    parallelToolCalls: true,
    strictSchemas: false,
    ...(seeing.test(model) ? { images: true } : blind.test(model) ? { images: false } : {}),
  };
}

/** One call: converts, connects, sends. */
function ask(
  api: Api,
  settings: Settings,
  request: ModelRequest,
  { signal }: ModelCallOptions,
): AnswerStream {
  const { model } = settings;
  let host = settings.host ?? 'its host';
  let secrets: readonly string[] = Object.values(settings.headers);

  async function prepare(): Promise<AnswerCall> {
    const { body, warnings } = toRequest(request, settings);
    const connection = await orAborted(api.connect(), signal);
    ({ host, secrets } = connection);
    return {
      warnings,
      async send(call) {
        if (body['stream'] === false) return fromBody(await connection.ask(body, call), model);
        return { events: await connection.stream(body, call), reader: streamReader(model) };
      },
    };
  }

  return new AnswerStream(signal, prepare, (error) =>
    toModelError(error, errorContext({ model, host, secrets })),
  );
}
