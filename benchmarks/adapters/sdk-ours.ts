import { Agent, Runner, tool, type Model } from '../../packages/core/dist/index.js';
import { openai } from '../../packages/providers-openai/dist/index.js';
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

/** Core with `providers-openai`, over HTTP. */
export const adapter: Adapter = {
  prepare(workload) {
    const names = toolNames(workload.kind === 'turns' ? workload.tools : 0);
    const provider = openai('zero', {
      baseURL: wireUrl(workload),
      apiKey: 'none',
      api: 'responses',
    });
    const model: Model = {
      provider: provider.provider,
      modelId: provider.modelId,
      capabilities: provider.capabilities,
      stream(request, options) {
        seen.request(request.messages.length, request.tools.length);
        return provider.stream(request, options);
      },
    };
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
    const runner = new Runner(agent);
    if (workload.kind === 'turns') return async () => (await runner.run(question)).orThrow();
    return async () => {
      let text = '';
      for await (const event of runner.stream(question)) {
        if (event.type !== 'text-delta') continue;
        if (text === '') seen.firstPieceAt = performance.now();
        text += event.delta;
      }
      return text;
    };
  },
};
