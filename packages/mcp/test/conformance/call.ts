import { noUsage, type Tool } from '@agent-functions/core';

/** One call of a tool, as a run would make it. */
export async function call(tool: Tool, input: unknown): Promise<unknown> {
  return tool.execute(input, {
    context: undefined,
    runId: 'run',
    requestContext: {},
    usage: noUsage,
    agentPath: ['tester'],
    signal: AbortSignal.timeout(20_000),
    callId: 'f0.t1.c1',
    toolName: tool.name,
    messages: [],
    idempotencyKey: 'run/f0.t1.c1',
    progress: () => undefined,
    warn: () => undefined,
    sessionState: {},
    updateSessionState: () => undefined,
    checkpoint: async () => undefined,
  });
}
