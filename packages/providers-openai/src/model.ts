import {
  withSettings,
  type LLMConfig,
  type Model,
  type ModelCallOptions,
  type ModelRequest,
  type ModelResponse,
  type ModelStreamEvent,
} from '@agent-functions/core';
import { openAIApi, type Api, type Connection } from './api.ts';
import { chatReader, fromChat } from './chat/from-stream.ts';
import { toChatRequest } from './chat/to-request.ts';
import { modelName } from './endpoint.ts';
import { toModelError, type ErrorContext } from './errors.ts';
import type { ReadContext, StreamReader } from './from-stream.ts';
import {
  toSettings,
  type AzureOpenAIOptions,
  type OpenAIApi,
  type OpenAIOptions,
  type Settings,
} from './options.ts';
import { fromResponses, responsesReader } from './responses/from-stream.ts';
import { toResponsesRequest } from './responses/to-request.ts';
import type { RequestContext, WireRequest } from './to-request.ts';

/**
 * A model of OpenAI, or of any server that speaks one of its two APIs: `openai('gpt-5-mini')`,
 * `openai('llama3.2', { baseURL: 'http://localhost:11434/v1' })`. Also the factory for `models({ openai })`.
 *
 * Does no I/O: the environment is read and the SDK loaded when the model is first asked.
 *
 * @throws UserError for an option that does not exist, or without a name.
 */
export function openai(model: string | LLMConfig, options?: OpenAIOptions): Model {
  return toModel(toSettings('openai', model, options));
}

/**
 * A deployment of Azure OpenAI (Foundry Models): `azureOpenAI('my-gpt-5-mini')`. With a key, or with an Entra
 * credential. The v1 endpoint by default; a dated `apiVersion` chooses the classic deployments URL. Without a deployment
 * `AZURE_OPENAI_DEPLOYMENT_NAME` names it. Also the factory for `models({ azureOpenai })`.
 *
 * @throws UserError for an option that does not exist.
 */
export function azureOpenAI(deployment?: string | LLMConfig, options?: AzureOpenAIOptions): Model {
  return toModel(toSettings('azure_openai', deployment, options));
}

function toModel(settings: Settings): Model {
  const api = openAIApi(settings);
  const model: Model = {
    provider: settings.provider,
    get modelId() {
      return modelName(settings, globalThis.process?.env ?? {}) ?? '';
    },
    stream: (request, options) => ask(api, settings, request, options),
    ready: () => api.missing(),
  };
  const { defaults } = settings;
  return Object.keys(defaults).length === 0 ? model : withSettings(model, defaults);
}

/** One wire format: a body out, events or a body in. */
interface Wire {
  toRequest(request: ModelRequest, context: RequestContext): WireRequest;
  reader(context: ReadContext): StreamReader;
  fromBody(body: unknown, context: ReadContext): ModelResponse;
}

const wires: { readonly [api in OpenAIApi]: Wire } = {
  responses: { toRequest: toResponsesRequest, reader: responsesReader, fromBody: fromResponses },
  chat: { toRequest: toChatRequest, reader: chatReader, fromBody: fromChat },
};

async function* ask(
  api: Api,
  settings: Settings,
  request: ModelRequest,
  { signal }: ModelCallOptions,
): AsyncGenerator<ModelStreamEvent, void> {
  signal.throwIfAborted();
  const { provider, extraBody } = settings;
  // Of this call alone: a reader who leaves early closes the socket too.
  const call = new AbortController();
  const abort = (): void => call.abort(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  let connection: Connection | undefined;
  let whole = false;
  try {
    connection = await orAborted(api.connect(), signal);
    const { endpoint } = connection;
    const wire = wires[endpoint.api];
    const context = { provider, model: endpoint.model };
    const { compatible } = endpoint;
    const { body, warnings } = wire.toRequest(request, { ...context, compatible, extraBody });
    yield* warnings;
    if (body['stream'] === false) {
      const answer = await connection.ask(body, call.signal);
      whole = true;
      yield { type: 'response', response: wire.fromBody(answer, context) };
      return;
    }
    const reader = wire.reader(context);
    const stream = await connection.stream(body, call.signal);
    try {
      for await (const event of stream.events) {
        for (const out of reader.push(event)) yield out;
      }
    } catch (error) {
      // Cut after the vendor said that the answer is whole: asking again would cost it twice.
      if (signal.aborted || !reader.isComplete()) throw error;
    }
    // The SDK ends an aborted stream as if it were whole.
    signal.throwIfAborted();
    whole = true;
    yield { type: 'response', response: reader.end(stream.done()) };
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    const failure = toModelError(error, errorContext(settings, connection));
    if ('status' in failure && failure.status === 401) connection?.refused();
    throw failure;
  } finally {
    signal.removeEventListener('abort', abort);
    if (!whole) call.abort();
  }
}

function errorContext(settings: Settings, connection: Connection | undefined): ErrorContext {
  const { provider } = settings;
  if (connection === undefined) {
    const who = provider === 'openai' ? 'OpenAI' : 'Azure OpenAI';
    return { provider, who, model: settings.model ?? '', keyName: 'the key', secrets: [] };
  }
  const { endpoint, secrets } = connection;
  const { who, model, keyName } = endpoint;
  return { provider, who, model, keyName, secrets };
}

/** A promise, or the abort of the signal, whichever is first: loading and tokens know no signal. */
async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    if (stop !== undefined) signal.removeEventListener('abort', stop);
  }
}
