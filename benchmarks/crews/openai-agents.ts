import { Agent, handoff, Runner, setTracingDisabled, Usage, type Model } from '@openai/agents';
import { callOf, messageOf } from '../adapters/openai-agents.ts';
import {
  billing,
  chief,
  crewQuestion,
  frontDesk,
  saysTo,
  specialists,
  toolOf,
  type Crew,
  type CrewAdapter,
  type Member,
} from '../crew.ts';
import { usage, wait } from '../workloads.ts';

// It would send its traces over the network.
setTracingDisabled(true);

/** `@openai/agents`: its `handoffs`, and agents as tools, the nearest that it has to a coordinator. */
export const adapter: CrewAdapter = {
  prepare(crew) {
    const agent = first(crew);
    const runner = new Runner();
    return async () => (await runner.run(agent, crewQuestion)).finalOutput ?? '';
  },
};

function first(crew: Crew): Agent {
  const model = modelOf(crew);
  const agentOf = ({ name, instructions, description }: Member): Agent =>
    new Agent({ name, instructions, handoffDescription: description, model });
  const handingTo = (agent: Agent) => handoff(agent, { toolNameOverride: toolOf(agent.name) });
  if (crew.kind === 'handoffs') {
    const [desk, back] = [agentOf(frontDesk), agentOf(billing)];
    desk.handoffs = [handingTo(back)];
    back.handoffs = [handingTo(desk)];
    return desk;
  }
  const coordinator = agentOf(chief);
  coordinator.tools = specialists.map((member) =>
    agentOf(member).asTool({
      toolName: toolOf(member.name),
      toolDescription: member.description,
    }),
  );
  return coordinator;
}

function modelOf(crew: Crew): Model {
  let calls = 0;
  // What its agents as tools ask for is called `input`; a handoff has no input of its own.
  const field = crew.kind === 'handoffs' ? 'message' : 'input';
  return {
    async getResponse({ systemInstructions, input, tools, handoffs }) {
      const messages = typeof input === 'string' ? [input] : input;
      const says = saysTo(systemInstructions, messages, tools.length + handoffs.length);
      if (crew.delayMs > 0) await wait(crew.delayMs);
      const output =
        says.type === 'answer'
          ? [messageOf(says.text)]
          : says.asks.map(({ toolName, message }) => {
              calls += 1;
              return callOf(calls, toolName, { [field]: message });
            });
      return { usage: new Usage(usage), output };
    },
    getStreamedResponse() {
      throw new Error('Nothing is streamed here.');
    },
  };
}
