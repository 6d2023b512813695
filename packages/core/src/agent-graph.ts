import { AgentDefinition, toToolset, type Toolset } from './agent-definition.ts';
import { handoffTool } from './agent-tool.ts';
import { UserError } from './errors.ts';
import type { AgentLike, Handoff } from './handoff.ts';

/** The agents that a runner knows: those it was given, and everybody they can hand to or ask as a tool. */
export class AgentGraph<C> {
  readonly #byName = new Map<string, AgentDefinition<C, unknown>>();
  readonly #toolsets = new Map<AgentDefinition<C, unknown>, Toolset<C>>();
  /** Agents whose handoffs were not looked at: a lazy list may name what is not there yet. */
  #unread: AgentDefinition<C, unknown>[] = [];
  /** Agents whose targets are not all known to be here. */
  readonly #unchecked = new Set<AgentDefinition<C, unknown>>();
  #reading = false;

  /** @throws UserError for two agents of one name. */
  constructor(agents: readonly AgentDefinition<C, unknown>[]) {
    for (const agent of agents) this.#add(agent);
  }

  /** The agent of that name, or that had it once. @throws UserError for a handoff that cannot be. */
  agent(name: string): AgentDefinition<C, unknown> | undefined {
    const known = this.#byName.get(name);
    if (known !== undefined && this.#unread.length + this.#unchecked.size === 0) return known;
    this.check();
    return this.#byName.get(name);
  }

  /** Every agent, once. @throws UserError for a handoff that cannot be. */
  all(): readonly AgentDefinition<C, unknown>[] {
    this.check();
    return [...new Set(this.#byName.values())];
  }

  /** The tools and what a model is told of them, handoffs among them: built once for each agent. */
  toolset(agent: AgentDefinition<C, unknown>): Toolset<C> {
    let toolset = this.#toolsets.get(agent);
    if (toolset === undefined) {
      const handoffs = agent.handoffPlan.tools.map((one) => {
        return handoffTool(one, one.description ?? this.agent(one.agentName)?.description ?? '');
      });
      toolset = toToolset([...agent.tools, ...handoffs]);
      this.#toolsets.set(agent, toolset);
    }
    return toolset;
  }

  /** Looks at everybody's handoffs. @throws UserError for a target that is nowhere, or that could not work. */
  check(): void {
    if (this.#reading) return;
    this.#reading = true;
    try {
      for (let agent = this.#unread[0]; agent !== undefined; agent = this.#unread[0]) {
        refuseTwoTools(agent);
        refuseChainOf(agent);
        for (const one of targetsOf(agent)) {
          if (one.agent !== undefined) this.#add(definitionOf(one.agent));
        }
        this.#unchecked.add(agent);
        this.#unread.shift();
      }
      for (const agent of this.#unchecked) {
        for (const { agentName } of targetsOf(agent)) this.#checkTarget(agent.name, agentName);
        this.#unchecked.delete(agent);
      }
    } finally {
      this.#reading = false;
    }
  }

  #checkTarget(by: string, name: string): void {
    const target = this.#byName.get(name);
    if (target === undefined) {
      throw new UserError(
        `Agent ${by} hands off to ${name}, which nobody knows here. Give the agent itself, or pass agents: [...] to the Runner or the app. Known: ${[...this.#byName.keys()].join(', ')}.`,
      );
    }
    if (target.overridesProcessRequest) {
      throw new UserError(
        `Agent ${by} hands off to ${name}, which overrides processRequest; that works around a whole run and would be left out. Use beforeRun and afterRun of the agent that runs start with, or middleware.`,
      );
    }
  }

  #add(agent: AgentDefinition<C, unknown>): void {
    if (this.#byName.get(agent.name) === agent) return;
    for (const name of [agent.name, ...agent.aliases]) {
      const known = this.#byName.get(name);
      if (known !== undefined) throw new UserError(`Two agents are named ${name}. Rename one.`);
      this.#byName.set(name, agent);
    }
    this.#unread.push(agent);
  }
}

/** Whom an agent can hand to, or ask as a tool. */
function targetsOf<C>({ handoffPlan, tools }: AgentDefinition<C, unknown>): readonly Handoff<C>[] {
  const asked = tools.flatMap((one) => (one.handoff === undefined ? [] : [one.handoff]));
  return [...handoffPlan.targets, ...asked];
}

function refuseTwoTools<C>({ name, tools, handoffPlan }: AgentDefinition<C, unknown>): void {
  const taken = handoffPlan.tools.find(({ toolName }) =>
    tools.some((one) => one.name === toolName),
  );
  if (taken === undefined) return;
  throw new UserError(
    `Agent ${name} has a tool and a handoff named ${taken.toolName}. Give the handoff another name: handoff(agent, { toolName }).`,
  );
}

function definitionOf<C>(agent: AgentLike<C>): AgentDefinition<C, unknown> {
  if (agent instanceof AgentDefinition) return agent;
  throw new UserError(`${agent.name} is no agent. Hand off to an Agent.`);
}

// The head of a chain says nothing itself: there is nothing to judge.
function refuseChainOf<C>({ name, reflection, handoffPlan }: AgentDefinition<C, unknown>): void {
  if (reflection === undefined || handoffPlan.opening?.type !== 'chain') return;
  throw new UserError(
    `Agent ${name} is a ReflectionAgent with mode 'sequential', whose targets answer for it, so nothing would be judged. Make the last target the ReflectionAgent, and ${name} an Agent.`,
  );
}
