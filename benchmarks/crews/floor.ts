import { z } from 'zod';
import { runLoop, type Agent, type Tool } from '../adapters/loop.ts';
import {
  billing,
  chief,
  crewQuestion,
  frontDesk,
  parameters,
  specialists,
  toolOf,
  type CrewAdapter,
  type Member,
} from '../crew.ts';
import { crewModel, type Model } from '../model.ts';

interface Handed {
  readonly message: string;
}

/** By hand: a tool that names the agent who goes on, and a tool that runs the loop of another agent. */
export const adapter: CrewAdapter = {
  prepare(crew) {
    const model = crewModel(crew.delayMs);
    return crew.kind === 'handoffs' ? deskOf(model) : chiefOf(model);
  },
};

function deskOf(model: Model): () => Promise<string> {
  const back: Agent<Handed> = agentOf(model, billing, [handingTo(frontDesk, () => desk)]);
  const desk: Agent<Handed> = agentOf(model, frontDesk, [handingTo(billing, () => back)]);
  return () => runLoop(desk, [], crewQuestion);
}

function chiefOf(model: Model): () => Promise<string> {
  const tools = specialists.map((specialist): Tool<Handed> => {
    const asked = agentOf(model, specialist, []);
    return {
      name: toolOf(specialist.name),
      parameters: parameters(),
      execute: ({ message }) => runLoop(asked, [], message),
    };
  });
  const coordinator = agentOf(model, chief, tools);
  return () => runLoop(coordinator, [], crewQuestion);
}

function handingTo({ name }: Member, goesOn: () => Agent<Handed>): Tool<Handed> {
  return {
    name: toolOf(name),
    parameters: parameters(),
    execute: ({ message }) => Promise.resolve(`${name} goes on: ${message}`),
    goesOn,
  };
}

function agentOf(
  model: Model,
  { instructions }: Member,
  tools: readonly Tool<Handed>[],
): Agent<Handed> {
  return {
    model,
    instructions,
    tools: new Map(tools.map((tool) => [tool.name, tool])),
    specs: tools.map(({ name, parameters: schema }) => ({ name, schema: z.toJSONSchema(schema) })),
  };
}
