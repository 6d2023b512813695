import {
  UserError,
  type AgentDefinition,
  type ProtocolRunner,
  type Tool,
} from '@agent-functions/core';

/** An agent as a tool of the server. */
export interface Published {
  /** The tool's name. */
  readonly name: string;
  readonly agent: AgentDefinition<never, unknown>;
  readonly runner: ProtocolRunner;
}

/** The tools that follow runs: there as soon as there is an agent. */
export const runToolNames = ['get_run', 'decide_run', 'cancel_run'] as const;

/**
 * Which agents become tools: those that are named, else all that have a chat.
 *
 * @throws UserError for an agent that is not there or has no chat, for two tools of one name, for a tool that only a run can
 *   call.
 */
export function published(
  runners: Readonly<Record<string, ProtocolRunner>>,
  named: readonly (string | { readonly name: string })[] | undefined,
  tools: readonly Tool[],
): readonly Published[] {
  const all = Object.entries(runners).map(([name, runner]): Published => ({
    name,
    agent: runner.agent,
    runner,
  }));
  const chosen =
    named === undefined
      ? all.filter(({ agent }) => agent.enableConversationalAgent)
      : named.map((one) => find(all, typeof one === 'string' ? one : one.name));
  checkNames([
    ...chosen.map(({ name }) => name),
    ...(chosen.length === 0 ? [] : runToolNames),
    ...tools.map(({ name }) => name),
  ]);
  for (const tool of tools) checkPlain(tool);
  return chosen;
}

function find(all: readonly Published[], name: string): Published {
  const found = all.find((one) => one.name === name || one.agent.name === name);
  if (found === undefined) {
    throw new UserError(
      `mcp() names the agent ${JSON.stringify(name)}, which the server does not have. Agents: ${all.map((one) => one.name).join(', ') || 'none'}.`,
    );
  }
  if (!found.agent.enableConversationalAgent) {
    throw new UserError(
      `mcp() names the agent ${name}, which has no chat (enableConversationalAgent: false): other agents reach it. Name one of them.`,
    );
  }
  return found;
}

function checkNames(names: readonly string[]): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice === undefined) return;
  throw new UserError(
    `The MCP server would have two tools named ${twice}. Rename one: agents are tools under their names, and ${runToolNames.join(', ')} follow runs.`,
  );
}

/** What a tool asks of its run must not be lost in silence. */
function checkPlain({ name, kind, needsApproval, guardrails }: Tool): void {
  const instead = 'Give it to an agent, and publish that';
  if (kind === 'agent' || kind === 'handoff') {
    throw new UserError(`The tool ${name} stands for an agent. Write it among the agents instead.`);
  }
  if (needsApproval !== false) {
    throw new UserError(
      `The tool ${name} needs approval, and without a run there is nobody to ask. ${instead}: its runs pause for a decision.`,
    );
  }
  if (guardrails !== undefined) {
    throw new UserError(`The tool ${name} has guardrails, which only a run checks. ${instead}.`);
  }
}
