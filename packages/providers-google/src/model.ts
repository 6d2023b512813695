import {
  withSettings,
  type LLMConfig,
  type Model,
  type ModelCallOptions,
  type ModelRequest,
} from '@agent-functions/core';
import { AnswerStream, isRecord, orAborted, type AnswerCall } from '@agent-functions/core/provider';
import { googleApi, type Api, type Connection } from './api.ts';
import { toModelError, type ErrorContext } from './errors.ts';
import { fromBody, streamReader } from './from-stream.ts';
import { capabilitiesOf, traitsOf } from './model-traits.ts';
import {
  provider,
  toSettings,
  type GoogleOptions,
  type Settings,
  type VertexOptions,
} from './options.ts';
import { toRequest } from './to-request.ts';

/**
 * A Gemini model of the Gemini API: `google('gemini-3.8-flash')`; with `vertexai`, `project`, `location` or `credential`
 * one of Vertex AI, as `vertex()` makes it. Also the factory for `models({ google })`.
 *
 * Does no I/O: the environment is read and the SDK loaded when the model is first asked.
 *
 * @throws UserError for an option that does not exist, for two that contradict each other, and without a name.
 */
export function google(model: string | LLMConfig, options?: GoogleOptions): Model {
  return toModel(toSettings('google', model, options));
}

/**
 * A Gemini model of Vertex AI: `vertex('gemini-3.8-flash', { project: 'my-project', location: 'global' })`, with the
 * application default credentials, a credential that is handed in, or a key of the express mode. Also a factory for
 * `models({ vertex })`.
 *
 * @throws UserError as `google()`.
 */
export function vertex(model: string | LLMConfig, options?: VertexOptions): Model {
  return toModel(toSettings('vertex', model, options));
}

function toModel(settings: Settings): Model {
  const api = googleApi(settings);
  const capabilities = capabilitiesOf(traitsOf(settings.model));
  const model: Model = {
    provider,
    modelId: settings.model,
    ...(capabilities === undefined ? {} : { capabilities }),
    stream: (request, options) => ask(api, settings, request, options),
    ready: () => api.missing(),
  };
  const { defaults } = settings;
  return Object.keys(defaults).length === 0 ? model : withSettings(model, defaults);
}

/** One call: connects, converts, sends. */
function ask(
  api: Api,
  settings: Settings,
  request: ModelRequest,
  { signal }: ModelCallOptions,
): AnswerStream {
  const { model, extraBody } = settings;
  let connection: Connection | undefined;

  async function prepare(): Promise<AnswerCall> {
    let connected = await orAborted(api.connect(), signal);
    connection = connected;
    const { backend } = connected.endpoint;
    const { body, streaming, warnings } = toRequest(request, { model, backend, extraBody });
    const context = { model, backend };

    async function sendOnce(call: AbortSignal): ReturnType<AnswerCall['send']> {
      return streaming
        ? { events: await connected.stream(body, call), reader: streamReader(context) }
        : fromBody(await connected.ask(body, call), context);
    }

    /** Once more with a new token, where an old one was refused: it was revoked, or a clock is wrong. */
    async function send(call: AbortSignal): ReturnType<AnswerCall['send']> {
      try {
        return await sendOnce(call);
      } catch (error) {
        if (!isRecord(error) || error['status'] !== 401 || !connected.refused()) throw error;
        connected = await orAborted(api.connect(), call);
        connection = connected;
        return sendOnce(call);
      }
    }

    return { warnings, send };
  }

  function toError(error: unknown): unknown {
    return toModelError(error, errorContext(model, connection));
  }

  return new AnswerStream(signal, prepare, toError);
}

function errorContext(model: string, connection: Connection | undefined): ErrorContext {
  if (connection === undefined) {
    return { provider, who: 'Google', model, keyName: 'the key', secrets: [], retryAfter: null };
  }
  const { endpoint, secrets } = connection;
  const { who, keyName } = endpoint;
  return { provider, who, model, keyName, secrets, retryAfter: connection.retryAfter() };
}
