import { generateText, stepCountIs, tool } from 'ai';
import { MockLanguageModelV4 } from 'ai/test';
import { answered, called, callOf, forget } from '../adapters/ai.ts';
import {
  billing,
  chief,
  crewQuestion,
  frontDesk,
  parameters,
  saysTo,
  specialists,
  toolOf,
  type Crew,
  type CrewAdapter,
  type Member,
} from '../crew.ts';
import { wait } from '../workloads.ts';

/**
 * `ai` has no handoffs: its documented way is `prepareStep`, which changes instructions and tools when a tool was
 * called. A specialist is a tool that generates a text.
 */
export const adapter: CrewAdapter = {
  prepare(crew) {
    const model = modelOf(crew);
    const asking = crew.kind === 'handoffs' ? deskOf(model) : chiefOf(model);
    return async () => {
      forget(model);
      return asking();
    };
  },
};

function deskOf(model: MockLanguageModelV4): () => Promise<string> {
  const handingTo = ({ name, description }: Member) =>
    tool({
      description,
      inputSchema: parameters(),
      execute: ({ message }) => Promise.resolve(`${name} goes on: ${message}`),
    });
  const tools = {
    handoff_to_billing: handingTo(billing),
    handoff_to_front_desk: handingTo(frontDesk),
  };
  const atDesk = {
    instructions: frontDesk.instructions,
    activeTools: ['handoff_to_billing' as const],
  };
  const atBilling = {
    instructions: billing.instructions,
    activeTools: ['handoff_to_front_desk' as const],
  };
  return async () => {
    const { text } = await generateText({
      model,
      tools,
      instructions: frontDesk.instructions,
      prompt: crewQuestion,
      stopWhen: stepCountIs(10),
      prepareStep: ({ steps }) => {
        const last = steps.at(-1)?.toolCalls.at(-1);
        return last?.toolName === 'handoff_to_billing' ? atBilling : atDesk;
      },
    });
    return text;
  };
}

function chiefOf(model: MockLanguageModelV4): () => Promise<string> {
  const asking = ({ instructions, description }: Member) =>
    tool({
      description,
      inputSchema: parameters(),
      execute: async ({ message }) =>
        (await generateText({ model, instructions, prompt: message })).text,
    });
  const tools = Object.fromEntries(specialists.map((one) => [toolOf(one.name), asking(one)]));
  const { instructions } = chief;
  return async () => {
    const stopWhen = stepCountIs(10);
    return (await generateText({ model, instructions, tools, prompt: crewQuestion, stopWhen }))
      .text;
  };
}

function modelOf(crew: Crew): MockLanguageModelV4 {
  let calls = 0;
  return new MockLanguageModelV4({
    doGenerate: async ({ prompt, tools }) => {
      const [system, ...messages] = prompt;
      const instructions = system?.role === 'system' ? system.content : undefined;
      const says = saysTo(instructions, messages, tools?.length ?? 0);
      if (crew.delayMs > 0) await wait(crew.delayMs);
      if (says.type === 'answer') return answered(says.text);
      return called(
        says.asks.map(({ toolName, message }) => {
          calls += 1;
          return callOf(calls, toolName, { message });
        }),
      );
    },
  });
}
