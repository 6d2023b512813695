import type { Agent, Json, JsonObject } from '@agent-functions/core';
import { Problem } from './problem.ts';
import { operations } from './operations.ts';
import type { ApiRoute } from './routes.ts';
import { json, type Exchange, type Scope, type Served } from './scope.ts';

/** What agents show of themselves. */
export function agentRoutes(scope: Scope): readonly ApiRoute[] {
  return [
    {
      method: 'GET',
      path: `${scope.prefix}/agents`,
      name: 'agents',
      operation: operations.agents,
      handle: () => {
        const agents = [...scope.agents.values()].map((served) => summary(scope, served));
        return json({ agents, total: agents.length });
      },
    },
    {
      method: 'GET',
      path: `${scope.prefix}/agents/{name}/info`,
      name: 'info',
      operation: operations.info,
      handle: (exchange) => json(info(scope, agentOf(scope, exchange))),
    },
    ...[...scope.agents.values()].map((served) => ({
      method: 'GET',
      path: `${scope.prefix}/${served.name}/info`,
      name: 'info',
      operation: operations.info,
      agent: served.name,
      handle: () => json(info(scope, served)),
    })),
  ];
}

/** @throws Problem 404 that lists the agents there are. */
export function agentOf(scope: Scope, exchange: Exchange): Served {
  const served = scope.agents.get(exchange.params['name'] ?? '');
  if (served !== undefined) return served;
  const names = [...scope.agents.keys()];
  throw new Problem(404, 'not_found', `There is no such agent. Agents: ${names.join(', ')}.`, {
    more: { available_agents: names },
  });
}

function summary(scope: Scope, { name, agent }: Served): JsonObject {
  const links = linksOf(scope, name, agent);
  if (!agent.exposed.info) return { name, links };
  return {
    name,
    description: agent.description,
    version: agent.version,
    tools: agent.tools.length,
    links,
  };
}

function info(scope: Scope, { name, agent, runner }: Served): JsonObject {
  const links = linksOf(scope, name, agent);
  if (!agent.exposed.info) return { name, links };
  const { instructions, tools } = agent.exposed;
  const handoffs = scope.known.map((one) => one.name).filter((one) => runner.canHandoffTo(one));
  return {
    name,
    description: agent.description,
    version: agent.version,
    streaming: agent.streaming,
    conversational: agent.enableConversationalAgent,
    ...(instructions && typeof agent.instructions === 'string'
      ? { instructions: agent.instructions }
      : {}),
    tools: tools
      ? agent.tools.map((tool): Json => ({
          name: tool.name,
          description: tool.description,
          input_schema: tool.inputJsonSchema,
        }))
      : agent.tools.length,
    ...(handoffs.length === 0 ? {} : { handoffs }),
    links,
  };
}

function linksOf(scope: Scope, name: string, agent: Agent<never, unknown>): JsonObject {
  const self = `${scope.base}${scope.prefix}/agents/${name}`;
  return {
    info: `${self}/info`,
    ...(agent.enableConversationalAgent ? { chat: `${self}/chat` } : {}),
  };
}
