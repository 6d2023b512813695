import { attemptsOf, policyFor } from './attempt-stream.ts';
import { UserError } from './errors.ts';
import type { LLMConfig, Model, ModelSettings } from './model.ts';
import { withDefaults } from './retry.ts';
import { wrapModel } from './wrap-model.ts';

/** Settings over settings: what is `undefined` leaves the default; `retry` and each provider's options are merged. */
export function mergeSettings(defaults: ModelSettings, settings: ModelSettings): ModelSettings {
  const merged: Record<string, unknown> = { ...defaults };
  for (const [name, value] of Object.entries(settings)) {
    if (value !== undefined) merged[name] = value;
  }
  if (defaults.retry !== undefined && settings.retry !== undefined) {
    merged['retry'] = { ...defaults.retry, ...settings.retry };
  }
  if (defaults.providerOptions !== undefined && settings.providerOptions !== undefined) {
    const options = { ...defaults.providerOptions };
    for (const [provider, own] of Object.entries(settings.providerOptions)) {
      options[provider] = { ...options[provider], ...own };
    }
    merged['providerOptions'] = options;
  }
  return merged;
}

/** Gives a model settings that hold where a request has none of its own. */
export function withSettings(model: Model, defaults: ModelSettings): Model {
  const asked = withDefaults(model);
  return wrapModel(
    asked,
    attemptsOf((request) =>
      policyFor(asked, { ...request, settings: mergeSettings(defaults, request.settings) }),
    ),
  );
}

/** Asks for answers in one piece (`settings.streaming: false`), for deployments that refuse to stream. */
export function buffered(model: Model): Model {
  const asked = withDefaults(model);
  return wrapModel(
    asked,
    attemptsOf((request) =>
      policyFor(asked, { ...request, settings: { ...request.settings, streaming: false } }),
    ),
  );
}

/**
 * The model settings that an `LLMConfig` says: `temperature`, `maxTokens`, `timeoutMs`, `maxRetries`.
 *
 * @throws UserError for `timeout`, whose unit nobody can know, and for numbers that are none.
 */
export function settingsOf(config: LLMConfig): ModelSettings {
  if (config['timeout'] !== undefined) {
    throw new UserError(
      `The LLMConfig of provider ${config.provider} has timeout: ${JSON.stringify(config['timeout'])}. ` +
        'Write timeoutMs, in milliseconds (timeout: 30 of the Python package is timeoutMs: 30_000).',
    );
  }
  const { temperature, maxTokens, timeoutMs, maxRetries } = config;
  for (const [name, value] of Object.entries({ temperature, maxTokens, timeoutMs, maxRetries })) {
    if (value !== undefined && (typeof value !== 'number' || !(value >= 0))) {
      throw new UserError(
        `The LLMConfig of provider ${config.provider} has ${name}: ${JSON.stringify(value)}; it must be a number from 0.`,
      );
    }
  }
  return {
    ...(temperature === undefined ? {} : { temperature }),
    ...(maxTokens === undefined ? {} : { maxTokens }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(maxRetries === undefined ? {} : { retry: { maxRetries } }),
  };
}
