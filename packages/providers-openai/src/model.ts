import {
  withSettings,
  type JsonObject,
  type LLMConfig,
  type Model,
  type ModelCallOptions,
  type ModelRequest,
  type ModelResponse,
} from '@agent-functions/core';
import {
  AnswerStream,
  isRecord,
  orAborted,
  type AnswerCall,
  type AnswerReader,
  type ErrorContext,
} from '@agent-functions/core/provider';
import { environment, openAIApi, type Api, type Connection } from './api.ts';
import { capabilitiesOf, capabilitiesOfDeployment } from './capabilities.ts';
import { chatReader, fromChat } from './chat/from-stream.ts';
import { toChatRequest } from './chat/to-request.ts';
import { locateAzureAi, modelOf } from './azure-ai-endpoint.ts';
import { deploymentOf, locateAzure } from './azure-endpoint.ts';
import { locateOpenAI, nameOf, type Locate } from './endpoint.ts';
import { refusesEncrypted, toModelError } from './errors.ts';
import type { ReadContext } from './from-stream.ts';
import {
  toSettings,
  type AzureAiOptions,
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
  const settings = toSettings('openai', model, options);
  return toModel(settings, locateOpenAI, () => settings.model);
}

/**
 * A deployment of Azure OpenAI (Foundry Models): `azureOpenAI('my-gpt-5-mini')`. With a key, or with an Entra
 * credential. The v1 endpoint by default; a dated `apiVersion` chooses the classic deployments URL. Without a deployment
 * `AZURE_OPENAI_DEPLOYMENT_NAME` names it. Also the factory for `models({ azureOpenai })`.
 *
 * @throws UserError for an option that does not exist.
 */
export function azureOpenAI(deployment?: string | LLMConfig, options?: AzureOpenAIOptions): Model {
  const settings = toSettings('azure_openai', deployment, options);
  return toModel(settings, locateAzure, () => deploymentOf(settings, environment()));
}

/**
 * A model of any vendor in Azure AI Foundry, by its OpenAI-compatible endpoint: `azureAi('DeepSeek-V3')`. With a key, or
 * with an Entra credential. Speaks Chat Completions; `api: 'responses'` where the model has it. Without a name
 * `AZURE_AI_MODEL` names it. Also the factory for `models({ azureAi })`.
 *
 * @throws UserError for an option that does not exist.
 */
export function azureAi(deployment?: string | LLMConfig, options?: AzureAiOptions): Model {
  const settings = toSettings('azure_ai', deployment, options);
  return toModel(settings, locateAzureAi, () => modelOf(settings, environment()));
}

function toModel(settings: Settings, locate: Locate, name: () => string | undefined): Model {
  const api = openAIApi(settings, locate);
  // Known not to reason; of the others, one question tells.
  const learnt = { encrypted: !/^(gpt-[34]|chatgpt)|chat-latest/.test(settings.model ?? '') };
  const model: Model = {
    provider: settings.provider,
    get modelId() {
      return name() ?? '';
    },
    capabilities:
      settings.provider === 'openai'
        ? capabilitiesOf(settings.model)
        : capabilitiesOfDeployment(settings.model),
    stream: (request, options) => ask(api, settings, learnt, request, options),
    ready: () => api.missing(),
  };
  const { defaults } = settings;
  return Object.keys(defaults).length === 0 ? model : withSettings(model, defaults);
}

/** One wire format: a body out, events or a body in. */
interface Wire {
  toRequest(request: ModelRequest, context: RequestContext): WireRequest;
  /** `done()` says, after the end, whether the vendor's own end mark was seen. */
  reader(context: ReadContext, done: () => boolean): AnswerReader;
  fromBody(body: unknown, context: ReadContext): ModelResponse;
}

const wires: { readonly [api in OpenAIApi]: Wire } = {
  responses: { toRequest: toResponsesRequest, reader: responsesReader, fromBody: fromResponses },
  chat: { toRequest: toChatRequest, reader: chatReader, fromBody: fromChat },
};

/** What a model has learnt of itself. */
interface Learnt {
  /** It can be asked for encrypted reasoning. Only models that reason can, and the name of a deployment says nothing. */
  encrypted: boolean;
}

/** One call: connects, converts, sends. */
function ask(
  api: Api,
  settings: Settings,
  learnt: Learnt,
  request: ModelRequest,
  { signal }: ModelCallOptions,
): AnswerStream {
  const { provider, extraBody } = settings;
  let connection: Connection | undefined;

  async function prepare(): Promise<AnswerCall> {
    let connected = await orAborted(api.connect(), signal);
    connection = connected;
    const { model, compatible, api: wireName } = connected.endpoint;
    const wire = wires[wireName];
    const convert = (): WireRequest => {
      const { encrypted } = learnt;
      return wire.toRequest(request, { provider, model, compatible, encrypted, extraBody });
    };

    /** Once more with a new token, where an old one was refused: it was revoked, or a clock is wrong. */
    async function send(body: JsonObject, call: AbortSignal): ReturnType<AnswerCall['send']> {
      try {
        return await sendOnce(body, call);
      } catch (error) {
        if (!isRecord(error) || error['status'] !== 401 || !connected.refused()) throw error;
        connected = await orAborted(api.connect(), call);
        connection = connected;
        return sendOnce(body, call);
      }
    }

    async function sendOnce(body: JsonObject, call: AbortSignal): ReturnType<AnswerCall['send']> {
      if (body['stream'] === false) {
        const answer = await connected.ask(body, call);
        return [{ type: 'response', response: wire.fromBody(answer, { provider, model }) }];
      }
      const { events, done } = await connected.stream(body, call);
      return { events, reader: wire.reader({ provider, model }, done) };
    }

    const { body, warnings } = convert();
    return {
      warnings,
      async send(call) {
        try {
          return await send(body, call);
        } catch (error) {
          if (!learnt.encrypted || !refusesEncrypted(error)) throw error;
          learnt.encrypted = false;
          return send(convert().body, call);
        }
      },
    };
  }

  function toError(error: unknown): unknown {
    return toModelError(error, errorContext(settings, connection));
  }

  return new AnswerStream(signal, prepare, toError);
}

function errorContext(settings: Settings, connection: Connection | undefined): ErrorContext {
  const { provider } = settings;
  if (connection === undefined) {
    const who = nameOf(settings);
    return { provider, who, model: settings.model ?? '', keyName: 'the key', secrets: [] };
  }
  const { endpoint, secrets } = connection;
  const { who, model, keyName } = endpoint;
  return { provider, who, model, keyName, secrets };
}
