import { z } from 'zod';
import { OpenAI } from '../../packages/providers-openai/node_modules/openai/index.mjs';
import {
  execute,
  instructions,
  parameters,
  question,
  seen,
  toolNames,
  type Adapter,
} from '../workloads.ts';
import { wireUrl } from './wire-url.ts';

type Item = OpenAI.Responses.ResponseInputItem;

/** The `openai` SDK by hand: the same loop over HTTP, streaming. */
export const adapter: Adapter = {
  prepare(workload) {
    const client = new OpenAI({ baseURL: wireUrl(workload), apiKey: 'none' });
    const names = toolNames(workload.kind === 'turns' ? workload.tools : 0);
    const schema = parameters();
    const tools = names.map((name) => ({
      type: 'function' as const,
      name,
      description: 'The weather in a city',
      parameters: z.toJSONSchema(schema),
      strict: true,
    }));
    async function loop(onDelta?: (delta: string) => void): Promise<string> {
      const items: Item[] = [{ role: 'user', content: question }];
      for (;;) {
        seen.request(items.length, tools.length);
        // With a signal, as anything that can be cancelled has one.
        const { signal } = new AbortController();
        const stream = await client.responses.create(
          { model: 'zero', instructions, input: items, tools, stream: true },
          { signal },
        );
        let text = '';
        let calls = 0;
        for await (const event of stream) {
          if (event.type === 'response.output_text.delta') onDelta?.(event.delta);
          else if (event.type === 'response.completed') {
            for (const item of event.response.output) {
              if (item.type === 'message') {
                for (const part of item.content) if (part.type === 'output_text') text += part.text;
              }
              if (item.type !== 'function_call') continue;
              calls += 1;
              const { id: _, ...call } = item;
              const output = await execute(schema.parse(JSON.parse(item.arguments)));
              items.push(call, {
                type: 'function_call_output',
                call_id: item.call_id,
                output: JSON.stringify(output),
              });
            }
          }
        }
        if (calls === 0) return text;
      }
    }
    if (workload.kind === 'turns') return () => loop();
    return async () => {
      let text = '';
      await loop((delta) => {
        if (text === '') seen.firstPieceAt = performance.now();
        text += delta;
      });
      return text;
    };
  },
};
