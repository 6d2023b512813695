import type {
  McpServerFactory,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server';
import type { Sdk } from './server-factory.ts';

/** Sessions of clients that speak the 2025 protocol, in this process. */
export interface LegacySessions {
  /** The answer to a request that begins a session or belongs to one; `undefined` for all others. */
  answer(request: Request, body: unknown, owner: string | undefined): Promise<Response | undefined>;
  close(): Promise<void>;
}

interface Session {
  readonly transport: WebStandardStreamableHTTPServerTransport;
  readonly owner: string | undefined;
  usedAt: number;
}

/** Sessions beyond these end the one that was not used for the longest time. */
const maxSessions = 1_000;

/** A server and its connection for each session, known by a random id that the client sends back. */
export function legacySessions(
  sdk: Sdk,
  factory: McpServerFactory,
  onerror: (error: Error) => void,
): LegacySessions {
  const sessions = new Map<string, Session>();
  const begin = async (request: Request, body: unknown, owner: string | undefined) => {
    const transport = new sdk.WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => crypto.randomUUID(),
      onsessioninitialized: (id) => {
        sessions.set(id, { transport, owner, usedAt: Date.now() });
        makeRoom(sessions);
      },
      onsessionclosed: (id) => void sessions.delete(id),
    });
    Object.assign(transport, { onerror });
    const server = await factory({ era: 'legacy', requestInfo: request });
    await server.connect(transport);
    return transport.handleRequest(request, { parsedBody: body });
  };
  return {
    answer: async (request, body, owner) => {
      const id = request.headers.get('mcp-session-id');
      if (id === null)
        return sdk.isInitializeRequest(body) ? begin(request, body, owner) : undefined;
      const session = sessions.get(id);
      // Somebody else's is none (MCP, Session Management: 404 tells the client to begin another).
      if (session === undefined || session.owner !== owner) {
        return Response.json(
          { jsonrpc: '2.0', error: { code: -32_001, message: 'Session not found' }, id: null },
          { status: 404 },
        );
      }
      session.usedAt = Date.now();
      return session.transport.handleRequest(
        request,
        body === undefined ? {} : { parsedBody: body },
      );
    },
    close: async () => {
      const open = [...sessions.values()];
      sessions.clear();
      await Promise.allSettled(open.map(({ transport }) => transport.close()));
    },
  };
}

function makeRoom(sessions: Map<string, Session>): void {
  if (sessions.size <= maxSessions) return;
  const [oldest] = [...sessions].toSorted(([, a], [, b]) => a.usedAt - b.usedAt);
  if (oldest === undefined) return;
  sessions.delete(oldest[0]);
  oldest[1].transport.close().catch(() => undefined);
}
