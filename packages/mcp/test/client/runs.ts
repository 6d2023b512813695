import {
  Agent,
  memoryStore,
  noUsage,
  Runner,
  type RunEvent,
  type ToolContext,
  type ToolSource,
} from '@agent-functions/core';
import { scriptedModel, type ScriptedCall } from '@agent-functions/core/testing';

/** Runs an agent that makes these calls, a turn for each list, then answers; says what came of it. */
export async function called(
  sources: readonly ToolSource[],
  ...turns: readonly (readonly ScriptedCall[])[]
) {
  const model = scriptedModel([...turns.map((calls) => ({ calls })), 'Done.']);
  const agent = new Agent({ name: 'caller', model, mcpServers: sources });
  const store = memoryStore();
  const seen: unknown[] = [];
  const stream = new Runner(agent, { store }).stream('Go.');
  for await (const event of stream) seen.push(event);
  const result = await stream.result;
  const journal: RunEvent[] = [];
  for await (const event of store.runs.read(result.runId)) journal.push(event);
  const offered = model.requests[0]?.tools.map(({ name }) => name) ?? [];
  return {
    result,
    results: result.toolResults,
    journal,
    warnings: warningsOf(journal),
    seen,
    offered,
  };
}

export function warningsOf(journal: readonly RunEvent[]): readonly string[] {
  return journal.flatMap((event) =>
    event.type === 'warning' ? `${event.code}: ${event.message}` : [],
  );
}

/** The tools of a source, for an agent of a name. */
export function listed(source: ToolSource, agent = 'test') {
  return source.listTools({ signal: new AbortController().signal, agent });
}

/** What a call of a tool gets, outside of a run. */
export function callContext(more: Partial<ToolContext> = {}): ToolContext {
  return {
    context: undefined,
    runId: 'run-1',
    requestContext: {},
    usage: noUsage,
    agentPath: ['test'],
    signal: new AbortController().signal,
    callId: 'f0.t1.c1',
    toolName: 'test',
    messages: [],
    idempotencyKey: 'run-1/f0.t1.c1',
    progress: () => undefined,
    warn: () => undefined,
    sessionState: {},
    updateSessionState: () => undefined,
    checkpoint: () => Promise.resolve(),
    ...more,
  };
}

/** Calls one tool of a source, outside of a run. */
export async function callOne(
  source: ToolSource,
  name: string,
  input: unknown,
  more: Partial<ToolContext> = {},
): Promise<unknown> {
  const tool = (await listed(source)).find((one) => one.name === name);
  if (tool === undefined) throw new Error(`There is no tool ${name}.`);
  return tool.execute(input, callContext(more));
}
