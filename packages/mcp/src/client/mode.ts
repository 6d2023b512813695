import { UserError } from '@agent-functions/core';

/** How a server is reached. `STREAMABLE_HTTP` is what servers speak today; `SSE` is the older HTTP transport. */
export const MCPServerMode = {
  STDIO: 'stdio',
  SSE: 'sse',
  STREAMABLE_HTTP: 'streamable_http',
} as const;
export type MCPServerMode = (typeof MCPServerMode)[keyof typeof MCPServerMode];

const spellings: { readonly [spelling: string]: MCPServerMode } = {
  stdio: 'stdio',
  sse: 'sse',
  streamablehttp: 'streamable_http',
  http: 'streamable_http',
};

/** A mode in any spelling: `'STREAMABLE_HTTP'`, `'streamable-http'`, `'http'`. @throws UserError for another one. */
export function toMode(where: string, value: unknown): MCPServerMode {
  const mode =
    typeof value === 'string'
      ? spellings[value.toLowerCase().replaceAll(/[^a-z]/g, '')]
      : undefined;
  if (mode !== undefined) return mode;
  throw new UserError(
    `${where} has mode ${JSON.stringify(value) ?? 'undefined'}. Modes: 'stdio' (a process that is started), 'streamable_http', 'sse' (older servers).`,
  );
}
