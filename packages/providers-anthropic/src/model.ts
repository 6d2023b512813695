import {
  isJsonArray,
  withSettings,
  type JsonObject,
  type LLMConfig,
  type Model,
  type ModelCallOptions,
  type ModelRequest,
} from '@agent-functions/core';
import {
  AnswerStream,
  orAborted,
  type AnswerCall,
  type ErrorContext,
  type Warning,
} from '@agent-functions/core/provider';
import { anthropicApi, type Api, type Connection, type Events } from './api.ts';
import { toModelError } from './errors.ts';
import { messagesReader, type Paused } from './from-stream.ts';
import { traitsOf } from './known-models.ts';
import { toSettings, type AnthropicOptions, type Settings } from './options.ts';
import { learner, type Learnt } from './repairs.ts';
import { toRequest, type WireRequest } from './to-request.ts';

/**
 * A model of Anthropic: `anthropic('claude-sonnet-5-5')`. With `client`, one on Foundry, Vertex or Bedrock. Also the
 * factory for `models({ anthropic })`.
 *
 * Does no I/O: the environment is read and the SDK loaded when the model is first asked.
 *
 * @throws UserError for an option that does not exist, or without a name.
 */
export function anthropic(model: string | LLMConfig, options?: AnthropicOptions): Model {
  const settings = toSettings(model, options);
  const api = anthropicApi(settings);
  const learnt = learner(traitsOf(settings.model));
  const made: Model = {
    provider: 'anthropic',
    modelId: settings.model,
    get capabilities() {
      const { structured } = learnt.traits;
      return {
        tools: true,
        parallelToolCalls: true,
        strictSchemas: structured,
        toolsWithStructuredOutput: structured,
        images: true,
      };
    },
    stream: (request, call) => ask(api, settings, learnt, request, call),
    ready: () => api.missing(),
  };
  const { defaults } = settings;
  return Object.keys(defaults).length === 0 ? made : withSettings(made, defaults);
}

/** One call: connects, converts, sends; again, where the vendor paused or a refusal taught another way. */
function ask(
  api: Api,
  settings: Settings,
  learnt: Learnt,
  request: ModelRequest,
  { signal }: ModelCallOptions,
): AnswerStream {
  let connection: Connection | undefined;
  const reader = messagesReader(settings.model);
  let paused: Paused | undefined;

  function convert(): WireRequest {
    const { model, betas, cache, extraBody } = settings;
    const { traits, leavesOut } = learnt;
    return toRequest(request, { model, traits, betas, cache, extraBody, leavesOut });
  }

  async function prepare(): Promise<AnswerCall> {
    const connected = await orAborted(api.connect(), signal);
    connection = connected;
    let wire = convert();
    const { warnings } = wire;

    async function send(call: AbortSignal, learning: Warning[]): Promise<Events> {
      const body = paused === undefined ? wire.body : continued(wire.body, paused);
      try {
        return await connected.send(body, wire.betas, call);
      } catch (error) {
        const lesson = learnt.learn(error, body);
        if (lesson === undefined) throw error;
        learning.push(lesson);
        wire = convert();
        return send(call, learning);
      }
    }

    return {
      warnings,
      async send(call) {
        const learning: Warning[] = [];
        const events = await send(call, learning);
        return {
          warnings: learning,
          events,
          reader,
          paused: () => (paused = reader.resume()) !== undefined,
        };
      },
    };
  }

  return new AnswerStream(signal, prepare, (error) =>
    toModelError(error, errorContext(settings, connection)),
  );
}

/** The request once more, with the answer so far at its end: the vendor goes on where it paused. */
function continued(body: JsonObject, { content, container }: Paused): JsonObject {
  const { messages } = body;
  return {
    ...body,
    ...(container === undefined || body['container'] !== undefined ? {} : { container }),
    messages: [...(isJsonArray(messages) ? messages : []), { role: 'assistant', content }],
  };
}

function errorContext({ model }: Settings, connection: Connection | undefined): ErrorContext {
  const { who = 'Anthropic', keyName = 'the key', secrets = [] } = connection ?? {};
  return { provider: 'anthropic', who, model, keyName, secrets };
}
