import { UserError } from './errors.ts';
import type { LLMConfig, Model, ModelFactory, ModelRegistry } from './model.ts';
import { settingsOf, withSettings } from './model-settings.ts';
import type { PriceTable } from './prices.ts';
import { withPrices } from './with-prices.ts';

export interface ModelsOptions {
  /** What the models cost: each response says so in `usage.costUsd`; see `withPrices()`. */
  readonly prices?: PriceTable | undefined;
}

/**
 * Names to providers: `models({ acme }).model('acme/large')`. `:` does for `/`; the first of them
 * separates, so that a model's name may hold both. Provider names compare without case, `_` and `-`.
 *
 * A model is made once for each name. `temperature`, `maxTokens`, `timeoutMs` and `maxRetries` of an `LLMConfig` become
 * settings that hold where a request has none.
 *
 * @throws UserError for a provider name that is empty, holds a separator, or equals another.
 */
export function models(
  providers: { readonly [name: string]: ModelFactory },
  { prices }: ModelsOptions = {},
): ModelRegistry {
  const priced = (model: Model): Model =>
    prices === undefined ? model : withPrices(model, prices);
  const factories = new Map<string, ModelFactory>();
  for (const [name, factory] of Object.entries(providers)) {
    const plain = plainName(name);
    if (plain === '' || /[/:]/.test(name) || factories.has(plain)) {
      throw new UserError(
        `models(): the provider name ${JSON.stringify(name)} ${factories.has(plain) ? 'is there twice (case, _ and - do not count)' : 'is empty or holds / or :'}.`,
      );
    }
    factories.set(plain, factory);
  }
  const names = Object.keys(providers).join(', ') || 'none';
  const made = new Map<string, Model>();

  function factoryOf(provider: string, asked: string): ModelFactory {
    const factory = factories.get(plainName(provider));
    if (factory !== undefined) return factory;
    const meant = Object.keys(providers).filter(
      (name) => plainName(provider) !== '' && plainName(name).startsWith(plainName(provider)),
    );
    throw new UserError(
      `No provider ${JSON.stringify(provider)} for the model ${asked}. Providers here: ${names}. ${
        meant.length > 0
          ? `Did you mean ${meant.join(' or ')}?`
          : `${howToGet(provider)}. Then add it: models({ ${identifier(provider)}: … }).`
      }`,
    );
  }

  function named(spec: string): Model {
    const cached = made.get(spec);
    if (cached !== undefined) return cached;
    const at = spec.search(/[/:]/);
    const [provider, name] = at < 0 ? ['', spec] : [spec.slice(0, at), spec.slice(at + 1)];
    if (provider === '' || name === '') {
      throw new UserError(
        `The model ${JSON.stringify(spec)} does not say its ${name === '' ? 'name' : 'provider'}. Write provider/name, such as ${Object.keys(providers)[0] ?? 'provider'}/${name || 'model'}. Providers here: ${names}.`,
      );
    }
    const model = priced(factoryOf(provider, spec)(name));
    made.set(spec, model);
    return model;
  }

  function configured(config: LLMConfig): Model {
    if (typeof config.provider !== 'string') {
      throw new UserError(`An LLMConfig needs a provider. Providers here: ${names}.`);
    }
    const settings = settingsOf(config);
    const model = priced(
      factoryOf(config.provider, config.modelName ?? config.deployment ?? '')(config),
    );
    return Object.keys(settings).length === 0 ? model : withSettings(model, settings);
  }

  return { model: (spec) => (typeof spec === 'string' ? named(spec) : configured(spec)) };
}

/**
 * How to get the provider of a name. Packages of this project are called after its first word, so that those of one
 * vendor are one package; where only a capital parts the words, it may be the first word or all of them.
 */
export function howToGet(provider: string): string {
  const name = provider.trim();
  if (!/^[a-z][a-z0-9_-]*$/i.test(name)) {
    return 'Providers are packages: npm search @agent-functions/providers lists them';
  }
  const [whole = name] = name.split(/[_-]/);
  const [word = whole] = /^[A-Z]?[a-z0-9]+(?=[A-Z])/.exec(whole) ?? [];
  // A name that begins with a capital is more often a brand than two words.
  const [first, second] = /^[a-z]/.test(whole) ? [word, whole] : [whole, word];
  const or = first === second ? '' : `or providers-${second.toLowerCase()}; `;
  return `If it is one of this project's: npm install @agent-functions/providers-${first.toLowerCase()} (${or}npm search @agent-functions/providers lists them)`;
}

function plainName(name: string): string {
  return name.toLowerCase().replaceAll(/[_-]/g, '');
}

function identifier(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
}
