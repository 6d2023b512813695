import { generateText, stepCountIs, streamText, tool, type ModelMessage } from 'ai';
import { MockLanguageModelV4 } from 'ai/test';
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

/** `ai` with its own mock of a language model. */
export const adapter: Adapter = {
  prepare(workload) {
    const names = toolNames(workload.kind === 'turns' ? workload.tools : 0);
    const tools = Object.fromEntries(
      names.map((name) => [
        name,
        tool({ description: 'The weather in a city', inputSchema: parameters(), execute }),
      ]),
    );
    const model = modelFor(workload);
    const shared = { model, instructions, tools, stopWhen: stepCountIs(200) };
    if (workload.kind === 'deltas') {
      return async () => {
        forget(model);
        let text = '';
        for await (const delta of streamText({ ...shared, prompt: question }).textStream)
          text += delta;
        return text;
      };
    }
    const before = history(workload.history).map(({ role, text }): ModelMessage => ({
      role,
      content: text,
    }));
    return async () => {
      forget(model);
      const asked =
        workload.history === 0
          ? { prompt: question }
          : { messages: [...before, { role: 'user', content: question } as const] };
      return (await generateText({ ...shared, ...asked })).text;
    };
  },
};

/** The mock keeps every request, which would be measured as the library's memory. */
export function forget(model: MockLanguageModelV4): void {
  model.doGenerateCalls.length = 0;
  model.doStreamCalls.length = 0;
}

const spent = {
  inputTokens: {
    total: usage.inputTokens,
    noCache: usage.inputTokens,
    cacheRead: 0,
    cacheWrite: 0,
  },
  outputTokens: { total: usage.outputTokens, text: usage.outputTokens, reasoning: 0 },
};

type Result = Awaited<ReturnType<MockLanguageModelV4['doGenerate']>>;
type Call = Extract<Result['content'][number], { readonly type: 'tool-call' }>;

export function answered(text: string): Result {
  return {
    content: [{ type: 'text', text }],
    finishReason: { unified: 'stop', raw: 'stop' },
    usage: spent,
    warnings: [],
  };
}

export function called(calls: Call[]): Result {
  return {
    content: calls,
    finishReason: { unified: 'tool-calls', raw: 'tool_calls' },
    usage: spent,
    warnings: [],
  };
}

export function callOf(index: number, toolName: string, given: object): Call {
  return {
    type: 'tool-call',
    toolCallId: `call_${index}`,
    toolName,
    input: JSON.stringify(given),
  };
}

function modelFor(workload: Workload): MockLanguageModelV4 {
  const turn = workload.kind === 'turns' ? counter(workload.turns) : () => ({ last: true });
  const words = workload.kind === 'deltas' ? pieces(workload.count) : [];
  let calls = 0;
  return new MockLanguageModelV4({
    doGenerate: async ({ prompt, tools }) => {
      // The system message is one of the prompt.
      seen.request(prompt.length - 1, tools?.length ?? 0);
      if (workload.kind === 'turns' && workload.delayMs > 0) await wait(workload.delayMs);
      calls += 1;
      return turn().last ? answered(answerText) : called([callOf(calls, 'get_weather', input)]);
    },
    doStream: async ({ prompt, tools }) => {
      seen.request(prompt.length - 1, tools?.length ?? 0);
      return { stream: ReadableStream.from(parts(words)) };
    },
  });
}

type StreamPart =
  Awaited<ReturnType<MockLanguageModelV4['doStream']>>['stream'] extends ReadableStream<infer Part>
    ? Part
    : never;

function* parts(words: readonly string[]): Iterable<StreamPart> {
  yield { type: 'stream-start', warnings: [] };
  yield { type: 'text-start', id: 't1' };
  for (const delta of words) yield { type: 'text-delta', id: 't1', delta };
  yield { type: 'text-end', id: 't1' };
  yield { type: 'finish', finishReason: { unified: 'stop', raw: 'stop' }, usage: spent };
}
