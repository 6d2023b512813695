import {
  Agent,
  Runner,
  tool,
  type Message,
  type Model,
  type Tracer,
} from '../../packages/core/dist/index.js';
import { modelFor } from '../model.ts';
import {
  execute,
  history,
  instructions,
  parameters,
  question,
  toolNames,
  type Adapter,
  type Workload,
} from '../workloads.ts';

/** Ours: the public API with its default settings. */
export const adapter: Adapter = { prepare: (workload) => prepare(workload) };

export function prepare(workload: Workload, tracer?: Tracer): () => Promise<string> {
  const model: Model = { provider: 'double', modelId: 'zero', ...modelFor(workload) };
  const names = toolNames(workload.kind === 'turns' ? workload.tools : 0);
  const agent = new Agent({
    name: 'weather',
    instructions,
    model,
    maxTurns: 200,
    tools: names.map((name) =>
      tool({
        name,
        description: 'The weather in a city',
        effect: 'read',
        parameters: parameters(),
        execute,
      }),
    ),
  });
  const runner = new Runner(agent, { tracer });
  if (workload.kind === 'deltas') {
    return async () => {
      let text = '';
      for await (const event of runner.stream(question)) {
        if (event.type === 'text-delta') text += event.delta;
      }
      return text;
    };
  }
  if (workload.history === 0) return async () => (await runner.run(question)).orThrow();
  // As in every adapter, messages of the library's own form.
  const before = history(workload.history).map(({ role, text }, index): Message => ({
    id: `m${index}`,
    role,
    parts: [{ type: 'text', text }],
  }));
  return async () => {
    const messages = [...before, { role: 'user', content: question } as const];
    return (await runner.run({ messages })).orThrow();
  };
}
