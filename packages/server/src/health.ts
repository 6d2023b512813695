import { AgentError, type JsonObject, type LLMConfig, type Model } from '@agent-functions/core';
import type { ReadyCheck, ReadyReport } from './options.ts';
import { operations } from './operations.ts';
import type { ApiRoute } from './routes.ts';
import { reasonOf } from './reason.ts';
import { json, type Scope } from './scope.ts';

/** Liveness, which names nothing, and readiness, which says what is wrong. */
export function healthRoutes(scope: Scope): readonly ApiRoute[] {
  return [
    {
      method: 'GET',
      path: `${scope.prefix}/health`,
      name: 'health',
      operation: operations.health,
      open: true,
      handle: () => json({ status: 'ok' }),
    },
    {
      method: 'GET',
      path: `${scope.prefix}/health/ready`,
      name: 'ready',
      operation: operations.ready,
      open: true,
      handle: async ({ principal }) => {
        const report = await ready(scope);
        const body: JsonObject = { status: report.ready ? 'ready' : 'not_ready' };
        // A probe without a principal learns whether, and whoever may call the API learns why.
        const checks = scope.authenticates && principal === undefined ? {} : checksOf(report);
        return json({ ...body, ...checks }, { status: report.ready ? 200 : 503 });
      },
    },
  ];
}

function checksOf(report: ReadyReport): JsonObject {
  return {
    checks: report.checks.map(({ name, ok, detail }) => ({
      name,
      ok,
      ...(detail === undefined ? {} : { detail }),
    })),
  };
}

/** Looks at the store and at each agent's model, without asking the model. */
export async function ready(scope: Scope): Promise<ReadyReport> {
  const checks = [
    await storeCheck(scope),
    ...[...scope.agents.values()].map(({ name, agent }) => agentCheck(scope, name, agent)),
    ...hidden(scope).map((agent) => agentCheck(scope, agent.name, agent)),
  ];
  return { ready: checks.every((check) => check.ok), checks };
}

async function storeCheck(scope: Scope): Promise<ReadyCheck> {
  try {
    await scope.store.now();
    await scope.store.runs.peek('ready');
    return { name: 'store', ok: true };
  } catch (error) {
    scope.logger.log('error', 'The store does not answer', reasonOf(error));
    // Only what names a setting: other sentences may name a path or a host.
    const detail =
      AgentError.isInstance(error) && error.code === 'not_configured'
        ? error.message
        : 'The store does not answer. The log has the reason.';
    return { name: 'store', ok: false, detail };
  }
}

/** Agents without a URL, which others hand to. */
function hidden(scope: Scope): Scope['known'] {
  const served = new Set<unknown>([...scope.agents.values()].map(({ agent }) => agent));
  return scope.known.filter((agent) => !served.has(agent));
}

function agentCheck(scope: Scope, name: string, agent: Scope['known'][number]): ReadyCheck {
  const detail = modelProblem(scope, agent);
  return { name: `agent:${name}`, ok: detail === undefined, ...(detail && { detail }) };
}

function modelProblem(scope: Scope, agent: Scope['known'][number]): string | undefined {
  const spec = agent.model ?? agent.llmConfig;
  if (spec === undefined) {
    // The head of a chain asks nobody itself.
    return agent.handoffPlan.opening?.type === 'chain'
      ? undefined
      : 'The agent has no model. Give it model or llmConfig.';
  }
  try {
    if (isModel(spec)) return spec.ready?.();
    if (scope.models === undefined) {
      return `The model of ${agent.name} is given by its name, and no models are there to look it up. Pass models (from the app's providers: models({ openai })) beside agents, or give the agent a model: openai('…').`;
    }
    return scope.models.model(spec).ready?.();
  } catch (error) {
    if (AgentError.isInstance(error)) return error.message;
    scope.logger.log('error', 'The model of an agent cannot be made', {
      agent: agent.name,
      ...reasonOf(error),
    });
    return 'The model cannot be made. The log has the reason.';
  }
}

function isModel(spec: string | Model | LLMConfig): spec is Model {
  return typeof spec === 'object' && 'stream' in spec && typeof spec.stream === 'function';
}
