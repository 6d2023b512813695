import {
  isJsonObject,
  noUsage,
  toJson,
  toJsonSchema,
  ToolContent,
  UserError,
  toFailure,
  validate,
  type Json,
  type Tool,
  type ToolContext,
} from '@agent-functions/core';
import type { CallToolResult } from '@modelcontextprotocol/server';
import { listed } from './agent-schemas.ts';
import { answered, refused, type Call } from './call.ts';
import { toBlocks } from './content.ts';
import type { ServedTool } from './served-tool.ts';

/** A tool of core without an agent. */
export function plainTool(tool: Tool): ServedTool {
  const outputSchema =
    tool.outputSchema === undefined
      ? undefined
      : toJsonSchema(tool.outputSchema, `The outputSchema of tool ${tool.name}`);
  return {
    name: tool.name,
    config: {
      description: tool.description,
      inputSchema: listed(tool.inputJsonSchema),
      // Structured content is an object.
      ...(outputSchema?.['type'] === 'object' ? { outputSchema: listed(outputSchema) } : {}),
      annotations: {
        readOnlyHint: tool.effect === 'read',
        ...(tool.effect === 'read' ? {} : { idempotentHint: tool.effect === 'idempotent' }),
      },
    },
    isEnabled: async (call) =>
      tool.isEnabled === undefined || (await tool.isEnabled(contextOf(tool, call, call.signal))),
    run: async (input, call) => {
      const checked = await validate(tool.inputSchema, input);
      if (!checked.ok) return refused(`The input of ${tool.name} does not fit. ${checked.issues}`);
      const signals = [call.signal];
      if (tool.timeoutMs !== undefined) signals.push(AbortSignal.timeout(tool.timeoutMs));
      const signal = AbortSignal.any(signals);
      const context = contextOf(tool, call, signal);
      try {
        const output = await orAborted(signal, returned(tool, checked.value, context));
        return await toResult(tool, output);
      } catch (error) {
        return failed(tool, error, { context, call, signal });
      }
    },
  };
}

/** What a tool may know without a run: the call is all there is. */
function contextOf(tool: Tool, call: Call, signal: AbortSignal): ToolContext {
  const { invocationId } = call.host;
  return {
    context: undefined,
    runId: invocationId,
    userId: call.principal?.id,
    requestContext: {},
    usage: noUsage,
    agentPath: [],
    signal,
    callId: invocationId,
    toolName: tool.name,
    messages: [],
    idempotencyKey: invocationId,
    progress: (data) => progress(call, data),
    warn: (code, message) => call.host.log('warn', message, { code, tool: tool.name }),
    checkpoint: async () => undefined,
    sessionState: {},
    updateSessionState: () => {
      throw new UserError(
        `${tool.name} is called without an agent, so there is no session whose state it could change.`,
      );
    },
  };
}

/** `{ progress, total, message }` is MCP's own form. */
function progress(call: Call, data: unknown): void {
  const json = toJson(data);
  const fields = isJsonObject(json) ? json : {};
  const { progress: done, total, message } = fields;
  if (typeof done !== 'number') {
    call.progress(typeof json === 'string' ? json : JSON.stringify(json));
    return;
  }
  const text = typeof message === 'string' ? message : '';
  call.progress(text, { done, ...(typeof total === 'number' ? { total } : {}) });
}

/** What the tool returns; the yields of a generator are progress. */
async function returned(tool: Tool, input: unknown, context: ToolContext): Promise<unknown> {
  const output: unknown = await tool.execute(input, context);
  if (!isGenerator(output)) return output;
  for (;;) {
    const step = await output.next();
    if (step.done === true) return step.value;
    context.progress(step.value);
  }
}

function isGenerator(value: unknown): value is AsyncGenerator<unknown, unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

function orAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

async function toResult(tool: Tool, output: unknown): Promise<CallToolResult> {
  if (output instanceof ToolContent) return { content: toBlocks(output.parts) };
  if (isQuestion(output)) {
    return refused(
      `${tool.name} asks a person, and without a run there is nobody who waits for the answer. Publish an agent that has it.`,
    );
  }
  if (tool.outputSchema !== undefined) {
    const checked = await validate(tool.outputSchema, output);
    if (!checked.ok) return refused(`What ${tool.name} returned does not fit. ${checked.issues}`);
  }
  const json = toJson(output);
  const said = tool.toModelOutput?.(output);
  if (said !== undefined && typeof said !== 'string') return { content: toBlocks(said) };
  const text = said ?? textOf(json);
  return isJsonObject(json) ? answered(text, json) : { content: [{ type: 'text', text }] };
}

function textOf(json: Json): string {
  return typeof json === 'string' ? json : JSON.stringify(json);
}

/** What `askForInput()` and `waitForCallback()` return; by its shape, since core keeps the class to itself. */
function isQuestion(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || !('kind' in value)) return false;
  return (value.kind === 'input' || value.kind === 'callback') && 'options' in value;
}

/** The tool's own words, as an agent's model would read them. */
function failed(
  tool: Tool,
  error: unknown,
  at: { readonly context: ToolContext; readonly call: Call; readonly signal: AbortSignal },
): CallToolResult {
  const { name, onError, timeoutMs } = tool;
  if (at.call.signal.aborted) return refused(`${name} was cancelled.`);
  if (at.signal.aborted) return refused(`${name} took longer than ${timeoutMs ?? 0} ms.`);
  if (typeof onError === 'function') return refused(onError(error, at.context));
  const { message } = toFailure(error);
  if (onError === 'return') return refused(message);
  at.call.host.log('error', 'A tool failed', { tool: name, error: message });
  return refused(`${name} failed. The log of the server has the reason.`);
}
