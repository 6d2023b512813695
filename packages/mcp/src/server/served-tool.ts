import type { Schema } from '@agent-functions/core';
import type { CallToolResult, ToolAnnotations } from '@modelcontextprotocol/server';
import type { Call } from './call.ts';

/** A tool of the server: what is listed, made once, and what a call of it does. */
export interface ServedTool {
  readonly name: string;
  readonly config: {
    readonly description: string;
    readonly inputSchema: Schema;
    readonly outputSchema?: Schema | undefined;
    readonly annotations?: ToolAnnotations | undefined;
  };
  /** Whether it is there for this request. */
  readonly isEnabled?: ((call: Call) => Promise<boolean>) | undefined;
  /** Never throws. */
  readonly run: (input: unknown, call: Call) => Promise<CallToolResult>;
}
