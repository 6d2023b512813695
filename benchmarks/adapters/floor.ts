import { modelFor } from '../model.ts';
import {
  execute,
  history,
  instructions,
  parameters,
  question,
  toolNames,
  type Adapter,
} from '../workloads.ts';
import { z } from 'zod';
import { runLoop } from './loop.ts';

/** The loop by hand. */
export const adapter: Adapter = {
  prepare(workload) {
    const model = modelFor(workload);
    const names = toolNames(workload.kind === 'turns' ? workload.tools : 0);
    const tools = names.map((name) => ({ name, parameters: parameters(), execute }));
    const agent = {
      model,
      instructions,
      tools: new Map(tools.map((tool) => [tool.name, tool])),
      specs: tools.map(({ name, parameters: schema }) => ({
        name,
        schema: z.toJSONSchema(schema),
      })),
    };
    if (workload.kind === 'deltas') {
      return async () => {
        let text = '';
        await runLoop(agent, [], question, (delta) => {
          text += delta;
        });
        return text;
      };
    }
    const before = history(workload.history).map(({ role, text }) => ({ role, content: text }));
    return () => runLoop(agent, before, question);
  },
};
