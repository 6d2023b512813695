import {
  Agent,
  HandoffMode,
  Runner,
  type AgentConfig,
  type Model,
} from '../../packages/core/dist/index.js';
import {
  billing,
  chief,
  crewQuestion,
  frontDesk,
  specialists,
  type Crew,
  type CrewAdapter,
  type Member,
} from '../crew.ts';
import { crewModel } from '../model.ts';

/** Ours: `handoffs`, and a coordinator by its `handoffConfig`. */
export const adapter: CrewAdapter = {
  prepare(crew) {
    const runner = new Runner(first(crew));
    return async () => (await runner.run(crewQuestion)).orThrow();
  },
};

function first(crew: Crew): Agent {
  const model: Model = { provider: 'double', modelId: 'zero', ...crewModel(crew.delayMs) };
  const agentOf = (
    { name, instructions, description }: Member,
    others: Pick<AgentConfig<unknown, string>, 'handoffs' | 'handoffConfig'> = {},
  ): Agent => new Agent({ name, instructions, description, model, ...others });
  if (crew.kind === 'handoffs') {
    const back: Agent = agentOf(billing, { handoffs: () => [desk] });
    const desk: Agent = agentOf(frontDesk, { handoffs: [back] });
    return desk;
  }
  const targets = specialists.map((member) => ({ agent: agentOf(member) }));
  return agentOf(chief, { handoffConfig: { mode: HandoffMode.COORDINATOR, targets } });
}
