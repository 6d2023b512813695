import {
  Agent,
  Runner,
  setTracingDisabled,
  tool,
  Usage,
  type AgentInputItem,
  type protocol,
  type Model,
  type ModelRequest,
  type StreamEvent,
} from '@openai/agents';
import {
  answerText,
  counter,
  execute,
  history,
  input,
  instructions,
  parameters,
  pieces,
  question,
  seen,
  toolNames,
  usage,
  wait,
  type Adapter,
  type Workload,
} from '../workloads.ts';

// It would send its traces over the network.
setTracingDisabled(true);

/** `@openai/agents` with a double of its own Model interface. */
export const adapter: Adapter = {
  prepare(workload) {
    const names = toolNames(workload.kind === 'turns' ? workload.tools : 0);
    const agent = new Agent({
      name: 'weather',
      instructions,
      model: modelFor(workload),
      tools: names.map((name) =>
        tool({ name, description: 'The weather in a city', parameters: parameters(), execute }),
      ),
    });
    const runner = new Runner();
    if (workload.kind === 'deltas') {
      return async () => {
        let text = '';
        const result = await runner.run(agent, question, { stream: true });
        for await (const event of result) {
          if (event.type === 'raw_model_stream_event' && event.data.type === 'output_text_delta')
            text += event.data.delta;
        }
        await result.completed;
        return text;
      };
    }
    const before = history(workload.history).map(({ role, text }): AgentInputItem =>
      role === 'user'
        ? { role, content: text }
        : { role, status: 'completed', content: [{ type: 'output_text', text }] },
    );
    return async () => {
      const result = await runner.run(
        agent,
        workload.history === 0 ? question : [...before, { role: 'user', content: question }],
        { maxTurns: 200 },
      );
      return result.finalOutput ?? '';
    };
  },
};

function modelFor(workload: Workload): Model {
  const turn = workload.kind === 'turns' ? counter(workload.turns) : () => ({ last: true });
  const words = workload.kind === 'deltas' ? pieces(workload.count) : [];
  let calls = 0;
  const note = ({ input: items, tools }: ModelRequest) =>
    seen.request(typeof items === 'string' ? 1 : items.length, tools.length);
  return {
    async getResponse(request) {
      note(request);
      if (workload.kind === 'turns' && workload.delayMs > 0) await wait(workload.delayMs);
      calls += 1;
      const output = turn().last ? [messageOf(answerText)] : [callOf(calls, 'get_weather', input)];
      return { usage: new Usage(usage), output };
    },
    async *getStreamedResponse(request): AsyncIterable<StreamEvent> {
      note(request);
      for (const delta of words) yield { type: 'output_text_delta', delta };
      yield {
        type: 'response_done',
        response: { id: 'r1', usage, output: [messageOf(words.join(''))] },
      };
    },
  };
}

export function messageOf(text: string): protocol.AssistantMessageItem {
  return {
    type: 'message',
    role: 'assistant',
    status: 'completed',
    content: [{ type: 'output_text', text }],
  };
}

export function callOf(index: number, name: string, given: object): protocol.FunctionCallItem {
  return {
    type: 'function_call',
    callId: `call_${index}`,
    name,
    status: 'completed',
    arguments: JSON.stringify(given),
  };
}
