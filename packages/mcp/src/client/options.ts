import type {
  Effect,
  JsonObject,
  Logger,
  RunContext,
  TokenCredential,
} from '@agent-functions/core';
import type { OAuthClientProvider } from '@modelcontextprotocol/client';
import type { McpClient } from './mcp-client.ts';

/** What a server says of a tool, before a filter decides. */
export interface ToolInfo {
  /** As the server names it. */
  readonly name: string;
  readonly description: string;
  readonly inputSchema: JsonObject;
  /** Hints of the server (`readOnlyHint`, `destructiveHint` …). A claim, not a fact. */
  readonly annotations: JsonObject;
}

/** Whether a person must approve a call before it is made. */
export type Approval =
  | 'always'
  | 'never'
  | ((
      call: { readonly toolName: string; readonly input: unknown },
      context: RunContext,
    ) => boolean | Promise<boolean>);

/** What of a server's tools an agent gets; the same for the whole server, or for one `view()` of it. */
export interface ToolChoiceOptions {
  /** Only these, by the server's names. */
  readonly allowedTools?: readonly string[] | undefined;
  /** All but these. */
  readonly deniedTools?: readonly string[] | undefined;
  /** Asked for each tool and agent when tools are listed. */
  readonly toolFilter?:
    | ((tool: ToolInfo, options: { readonly agent: string }) => boolean | Promise<boolean>)
    | undefined;
  /** Put before every name: a text, or `true` for the server's name. Default: none, and core adds the name where two collide. */
  readonly toolPrefix?: string | boolean | undefined;
  /** For every tool, or by the server's tool names (`'*'`: the others). Default `'never'`. */
  readonly needsApproval?: Approval | { readonly [toolName: string]: Approval } | undefined;
}

/** Asked by a server of the 2025 protocol in the middle of a call; answers the form's content, or `undefined` to decline. */
export type Elicit = (
  request: { readonly message: string; readonly schema: JsonObject },
  options: { readonly signal: AbortSignal },
) => JsonObject | undefined | Promise<JsonObject | undefined>;

/** Options of every server, however it is reached. */
export interface McpOptions extends ToolChoiceOptions {
  /** The run fails without this server's tools, instead of going on without them. Default `false`. */
  readonly required?: boolean | undefined;
  /**
   * Lists the tools once, until the server says that they changed, or for `ttlMs` (with `true`: 5 minutes). Default
   * `false`: each turn asks.
   */
  readonly cacheToolsList?: boolean | { readonly ttlMs: number } | undefined;
  /**
   * You vouch for the server: its annotations count (`readOnlyHint` is effect `read`, `idempotentHint` is
   * `idempotent`). Default `false`: every tool is `once`, and is never repeated by itself.
   */
  readonly trusted?: boolean | undefined;
  /** What a repeat of a tool does, by the server's names, where you know it. */
  readonly effects?: { readonly [toolName: string]: Effect } | undefined;
  /** For `once` tools: what to do when nobody knows whether a call happened. Default `'report'`: tell the model. */
  readonly onAmbiguous?: 'report' | 'ask' | undefined;
  /** Fingerprints of tools as they were approved (`server.fingerprints()`). A tool whose own differs is refused. */
  readonly accepted?: { readonly [toolName: string]: string } | undefined;
  /** How long a call may take, in milliseconds. Default 60,000. */
  readonly timeoutMs?: number | undefined;
  /** How long a call may be silent: without progress or a result. Default: as long as `timeoutMs`. */
  readonly idleTimeoutMs?: number | undefined;
  /** How long connecting, and listing tools, may take. Default 30,000. */
  readonly connectTimeoutMs?: number | undefined;
  /** The largest message that is read from the server, in bytes. Default 10 MiB. */
  readonly maxMessageBytes?: number | undefined;
  /** How long to wait before connecting again after a failure: doubles from `minMs` (500) to `maxMs` (30,000). */
  readonly reconnect?:
    | { readonly minMs?: number | undefined; readonly maxMs?: number | undefined }
    | undefined;
  /**
   * The revision of the protocol: `'auto'` (default) negotiates; `'2026-07-28'` takes no other, `'2025-11-25'` and
   * older are asked for with the handshake of that era.
   */
  readonly protocolVersion?: string | undefined;
  readonly elicit?: Elicit | undefined;
  /** How long `elicit` may take before the server is declined. Default 30,000. */
  readonly elicitTimeoutMs?: number | undefined;
  /** How long a person may take to answer what a tool asks (2026 protocol). Default: no limit. */
  readonly inputTimeoutMs?: number | undefined;
  /** Where the server's log messages, and what it writes to stderr, go. Default: nowhere. */
  readonly logger?: Logger | undefined;
}

/** How to start a server that speaks over stdin and stdout. */
export interface MCPServerStdioParams {
  /** The program. Default: what `MCP_SERVER_PATH` names (a `.js`, `.ts` or `.py` file is run by its interpreter). */
  readonly command?: string | undefined;
  readonly args?: readonly string[] | undefined;
  /** Added to a safe few of this process's variables (`PATH`, `HOME` …): nothing else is inherited. */
  readonly env?: { readonly [name: string]: string } | undefined;
  readonly cwd?: string | undefined;
  /** Of what the server writes. Default `'utf-8'`. */
  readonly encoding?: string | undefined;
  /** What to do with bytes that `encoding` does not have. Default `'strict'`: the message is refused. */
  readonly encodingErrorHandler?: 'strict' | 'replace' | undefined;
}

type HeaderRecord = { readonly [name: string]: string };

interface HttpParams {
  /** Sent with every request; a function is asked for each. With secrets, the URL must be https or this machine. */
  readonly headers?: HeaderRecord | (() => HeaderRecord | Promise<HeaderRecord>) | undefined;
  /** How long connecting may take: `connectTimeoutMs`. */
  readonly timeoutMs?: number | undefined;
  /** How long a call may be silent: `idleTimeoutMs`. */
  readonly sseReadTimeoutMs?: number | undefined;
  /** An OAuth provider of the MCP SDK, or anything with `token()`. */
  readonly auth?: OAuthClientProvider | { token(): Promise<string | undefined> } | undefined;
  /** A credential of an identity SDK (Entra), whose token for `scope` is the bearer token. */
  readonly credential?: TokenCredential | undefined;
  readonly scope?: string | undefined;
  /** Instead of `globalThis.fetch`. */
  readonly fetch?: typeof globalThis.fetch | undefined;
}

export interface SseParams extends HttpParams {
  readonly url: string;
}

export interface StreamableHttpParams extends HttpParams {
  readonly url?: string | undefined;
  /** The Python package's name for `url`. */
  readonly sessionUrl?: string | undefined;
}

/** The README's form: `new MCPServer({ name, mode, params })`. */
export type MCPServerConfig = McpOptions & { readonly name: string } & (
    | { readonly mode: 'stdio' | 'STDIO'; readonly params?: MCPServerStdioParams | undefined }
    | { readonly mode: 'sse' | 'SSE'; readonly params: SseParams }
    | {
        readonly mode: 'streamable_http' | 'STREAMABLE_HTTP' | 'streamable-http' | 'http';
        readonly params: StreamableHttpParams;
      }
  );

/** The short form: the params beside the other options, the mode said by which of them are there. */
export type McpToolsOptions = McpOptions & { readonly name?: string | undefined } & (
    | ({ readonly client: McpClient } & { readonly [K in 'url' | 'command']?: undefined })
    | ({
        readonly url: string;
        readonly mode?: 'sse' | 'streamable_http' | undefined;
      } & HttpParams & {
          readonly [K in 'client' | 'command']?: undefined;
        })
    | ({ readonly command: string } & MCPServerStdioParams & {
          readonly [K in 'client' | 'url']?: undefined;
        })
  );
