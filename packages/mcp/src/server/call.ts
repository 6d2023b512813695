import type { HostContext, Json, JsonObject, Principal } from '@agent-functions/core';
import type { CallToolResult, ServerContext } from '@modelcontextprotocol/server';

/** One call of a tool: by whom, and how to tell them how it goes. */
export interface Call {
  readonly host: HostContext;
  readonly principal: Principal | undefined;
  /** Aborted when the client cancels the call or goes away. */
  readonly signal: AbortSignal;
  readonly traceparent: string | undefined;
  /** Tells the client what happens, if it asked to be told. */
  progress(message: string, fraction?: { readonly done: number; readonly total?: number }): void;
}

/** A call as the SDK hands it over. */
export function toCall(context: ServerContext, host: HostContext): Call {
  const { _meta: meta, signal, notify } = context.mcpReq;
  const token = meta?.progressToken;
  let steps = 0;
  return {
    host,
    principal: host.principal,
    signal,
    traceparent: host.traceparent,
    progress: (message, fraction) => {
      if (token === undefined || signal.aborted) return;
      // It must grow with every notification (MCP, Progress).
      steps = Math.max(steps + (fraction === undefined ? 1 : 0), fraction?.done ?? 0);
      const { total } = fraction ?? {};
      void notify({
        method: 'notifications/progress',
        params: {
          progressToken: token,
          progress: steps,
          ...(total === undefined ? {} : { total }),
          message: message.slice(0, 500),
        },
      }).catch(() => undefined);
    },
  };
}

/** What a tool answers when it could not do what was asked: the client's model reads it. */
export function refused(text: string): CallToolResult {
  return { content: [{ type: 'text', text }], isError: true };
}

/** Text, and the same as data. */
export function answered(text: string, structured: JsonObject, isError = false): CallToolResult {
  return {
    content: [{ type: 'text', text }],
    structuredContent: structured,
    ...(isError ? { isError } : {}),
  };
}

/** The arguments of a call. */
export function fieldsOf(value: unknown): { readonly [name: string]: Json | undefined } {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}
