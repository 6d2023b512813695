import { isRecord } from '@agent-functions/core/provider';

/**
 * Any connected MCP client, structurally: the `Client` of `@modelcontextprotocol/client` (2.x) and that of
 * `@modelcontextprotocol/sdk` (1.x) both have these five methods. They are called with options that both understand.
 */
export interface McpClient {
  listTools(params?: { cursor?: string }): Promise<unknown>;
  callTool(params: { name: string; arguments?: Record<string, unknown> }): Promise<unknown>;
  readResource(params: { uri: string }): Promise<unknown>;
  getPrompt(params: { name: string; arguments?: Record<string, string> }): Promise<unknown>;
  close(): Promise<void>;
}

/** Options of one request, the same in both lines of the SDK. */
export interface RequestOptions {
  readonly signal: AbortSignal;
  /** The SDK's own limit, in milliseconds. */
  readonly timeout: number;
  readonly resetTimeoutOnProgress?: boolean;
  readonly onprogress?: (progress: unknown) => void;
  /** 2.x: an `input_required` result is handed back instead of answered by the client's handlers. */
  readonly allowInputRequired?: boolean;
}

/** Calls a tool: 1.x takes a result schema before the options, 2.x does not. */
export function callTool(
  client: McpClient,
  params: object,
  options: RequestOptions,
): Promise<unknown> {
  const given = isSecondLine(client) ? [params, options] : [params, undefined, options];
  return send(client, 'callTool', given);
}

/** Lists, reads or gets: the same arguments in both lines. */
export function ask(
  client: McpClient,
  method: 'listTools' | 'readResource' | 'getPrompt' | 'listResources' | 'listPrompts',
  params: object | undefined,
  options: RequestOptions,
): Promise<unknown> {
  return send(client, method, [params, options]);
}

// What a client of a foreign class gives back is looked at like anything that came over a wire.
async function send(
  client: McpClient,
  method: string,
  given: readonly unknown[],
): Promise<unknown> {
  const called: unknown = Reflect.get(client, method);
  if (typeof called !== 'function') throw new TypeError(`This MCP client has no ${method}().`);
  const result: unknown = await Reflect.apply(called, client, given);
  return result;
}

/** Whether a client is of the SDK's 2.x line, which knows protocol eras. */
function isSecondLine(client: object): boolean {
  return 'getProtocolEra' in client && typeof client.getProtocolEra === 'function';
}

/** Whether a value has the five methods. */
export function isMcpClient(value: unknown): value is McpClient {
  return (
    isRecord(value) &&
    ['listTools', 'callTool', 'readResource', 'getPrompt', 'close'].every(
      (name) => typeof value[name] === 'function',
    )
  );
}
