import type { Agent } from '@agent-functions/core';
import type { AgentServer, ReadyReport, RouteInfo } from '@agent-functions/server';
import { paint } from './terminal.ts';

/** The routes as a table. CORS preflights are left out: nobody calls them by hand. */
export function routeTable(routes: readonly RouteInfo[]): string {
  const shown = routes.filter((route) => route.name !== 'preflight');
  const width = Math.max(...shown.map((route) => route.method.length));
  return shown
    .map(({ method, path }) => `  ${paint('green', method.padEnd(width))}  ${path}`)
    .join('\n');
}

/** One line for each agent: its model and whether it can be asked; then what a developer should look at. */
export function agentLines(
  runners: AgentServer['runners'],
  report: ReadyReport,
): readonly string[] {
  return Object.entries(runners).flatMap(([name, runner]) => {
    const { agent } = runner;
    const handsOffTo = runner.knownAgents().filter((one) => runner.canHandoffTo(one.name));
    const check = report.checks.find((each) => each.name === `agent:${name}`);
    const state =
      check?.ok === false ? paint('red', `not ready: ${check.detail}`) : paint('green', 'ready');
    const undeclared = agent.tools.filter((tool) => !tool.effectDeclared).map((tool) => tool.name);
    return [
      `  ${paint('bold', name)}  ${modelOf(agent)}  ${state}  ${tools(agent)}`,
      ...(handsOffTo.length === 0
        ? []
        : [paint('dim', `    hands off to ${handsOffTo.map((one) => one.name).join(', ')}`)]),
      ...(undeclared.length === 0
        ? []
        : [
            paint(
              'yellow',
              `    effect undeclared: ${undeclared.join(', ')} (counts as 'once'; declare 'read' or 'idempotent' where a repeat is safe)`,
            ),
          ]),
    ];
  });
}

function tools({ tools: own, toolSources }: Pick<Agent, 'tools' | 'toolSources'>): string {
  const sources =
    toolSources.length === 0 ? '' : `, tools of ${toolSources.map((each) => each.name).join(', ')}`;
  return paint('dim', `${own.length} ${own.length === 1 ? 'tool' : 'tools'}${sources}`);
}

function modelOf({ model, llmConfig }: Pick<Agent, 'model' | 'llmConfig'>): string {
  if (typeof model === 'string') return model;
  if (model !== undefined) return `${model.provider}/${model.modelId}`;
  if (llmConfig !== undefined) return `${llmConfig.provider}/${llmConfig.modelName ?? 'default'}`;
  return 'no model';
}
