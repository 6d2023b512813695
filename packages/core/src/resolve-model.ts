import type { AgentDefinition } from './agent-definition.ts';
import { AgentError } from './errors.ts';
import type { LLMConfig, Model, ModelRegistry } from './model.ts';
import { howToGet } from './model-registry.ts';

/**
 * The model of an agent: its own, or the one its name or `llmConfig` stands for.
 *
 * @throws AgentError `not_configured` that says what to write.
 */
export function resolveModel(
  agent: Pick<AgentDefinition<never, unknown>, 'name'> &
    Partial<Pick<AgentDefinition<never, unknown>, 'model' | 'llmConfig'>>,
  registry: ModelRegistry | undefined,
): Model {
  const { model, llmConfig } = agent;
  if (model !== undefined && typeof model !== 'string') return model;
  const spec = model ?? llmConfig;
  if (spec === undefined) {
    throw new AgentError(
      'not_configured',
      `Agent ${agent.name} has no model. Give it a model (from a provider's package), or llmConfig: { provider, modelName } and the runner models.`,
    );
  }
  if (registry === undefined) {
    throw new AgentError(
      'not_configured',
      `Agent ${agent.name} names its model by ${typeof spec === 'string' ? JSON.stringify(spec) : 'llmConfig'}, but the runner has no models. ${howToGet(providerOf(spec))}. Then pass models: models({ … }) with its factory to the runner.`,
    );
  }
  return registry.model(spec);
}

function providerOf(spec: string | LLMConfig): string {
  return typeof spec === 'string' ? (/^[^/:]+(?=[/:])/.exec(spec)?.[0] ?? '') : spec.provider;
}
