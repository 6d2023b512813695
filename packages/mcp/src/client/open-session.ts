import { AgentError } from '@agent-functions/core';
import type { Transport } from '@modelcontextprotocol/client';
import { answerServer } from './answer-server.ts';
import { serverFetch } from './http-fetch.ts';
import { programOf } from './program.ts';
import { Session } from './session.ts';
import type { HttpReach, Settings, StdioReach } from './settings.ts';
import { StdioTransport } from './stdio-transport.ts';
import { ToolSieve } from './tool-sieve.ts';
import { version } from './version.ts';
import { groups } from './watchdog.ts';

/** Revisions that negotiate without a handshake, from the first of them on. */
const firstOfNewEra = '2026-07-28';

/**
 * Connects to a server, whatever era of the protocol it speaks.
 *
 * @throws what the SDK or the transport throws; nothing is left open then.
 */
export async function openSession(settings: Settings, signal: AbortSignal): Promise<Session> {
  const reach = settings.reach();
  if (reach.type === 'client') return new Session(reach.client, { name: settings.name });
  try {
    return await connect(settings, reach, signal, 'negotiate');
  } catch (error) {
    // Some older servers end when they are asked something before the handshake: they get a process of their own for it.
    if (reach.type !== 'stdio' || !closedAtProbe(error, settings) || signal.aborted) throw error;
    return connect(settings, reach, signal, 'older');
  }
}

async function connect(
  settings: Settings,
  reach: StdioReach | HttpReach,
  signal: AbortSignal,
  era: 'negotiate' | 'older',
): Promise<Session> {
  const sdk = await import('@modelcontextprotocol/client');
  const { CfWorkerJsonSchemaValidator } =
    await import('@modelcontextprotocol/client/validators/cf-worker');
  const { protocolVersion, connectTimeoutMs } = settings;
  const older = protocolVersion !== 'auto' && protocolVersion < firstOfNewEra;
  const tools = { autoRefresh: false, debounceMs: 0, onChanged: () => session.toolsChanged() };
  const client = new sdk.Client(
    { name: 'agent-functions', version },
    {
      capabilities: { elicitation: { form: { applyDefaults: true }, url: {} } },
      jsonSchemaValidator: new CfWorkerJsonSchemaValidator(),
      ...(older ? { supportedProtocolVersions: [protocolVersion] } : {}),
      versionNegotiation: {
        mode: older ? 'legacy' : protocolVersion === 'auto' ? 'auto' : { pin: protocolVersion },
        probe: { timeoutMs: Math.ceil(connectTimeoutMs / 2) },
      },
      // Where tools are listed each turn, nobody needs to be told that they changed.
      ...(settings.toolsTtlMs === 0 ? {} : { listChanged: { tools } }),
    },
  );
  const transport = await transportOf(settings, reach, () =>
    session.lose('an answer was too large'),
  );
  const sieve = new ToolSieve(sdk.specTypeSchemas.Tool);
  sieve.watch(transport);
  const session: Session = new Session(client, {
    name: settings.name,
    close: () => end(transport),
    own: true,
    sieve,
  });
  answerServer(client, settings, session);
  // Negotiating knows no signal: without its transport it ends.
  const abort = (): void => void end(transport);
  signal.addEventListener('abort', abort, { once: true });
  try {
    signal.throwIfAborted();
    await client.connect(transport, {
      signal,
      timeout: connectTimeoutMs,
      ...(era === 'older' ? { prior: { kind: 'legacy' as const } } : {}),
    });
  } catch (error) {
    const died = transport instanceof StdioTransport ? transport.died : undefined;
    await end(transport);
    throw died === undefined ? error : new AgentError('not_configured', died, { cause: error });
  } finally {
    signal.removeEventListener('abort', abort);
  }
  Object.assign(client, {
    onclose: () => session.lose('the connection was closed'),
    onerror: (error: Error) => {
      const text = `MCP server ${settings.name}: ${error.message.slice(0, 300)}`;
      settings.logger.log('debug', text, { server: settings.name });
      if (isLoss(error)) session.lose('the connection broke');
    },
  });
  return session;
}

/** What the transports only tell as an error beside everything: their streams are gone for good. */
function isLoss(error: Error): boolean {
  return (
    error.name === 'SseError' ||
    error.constructor.name === 'SseError' ||
    error.message.startsWith('Maximum reconnection attempts')
  );
}

function closedAtProbe(thrown: unknown, { protocolVersion }: Settings): boolean {
  const error = AgentError.isInstance(thrown) ? thrown.cause : thrown;
  return (
    protocolVersion === 'auto' &&
    error instanceof Error &&
    'code' in error &&
    error.code === 'ERA_NEGOTIATION_FAILED' &&
    /closed/.test(error.message)
  );
}

async function transportOf(
  settings: Settings,
  reach: StdioReach | HttpReach,
  onTooLarge: () => void,
): Promise<Transport> {
  const { name, maxMessageBytes, logger } = settings;
  const sdk = await import('@modelcontextprotocol/client');
  if (reach.type === 'stdio') {
    const { getDefaultEnvironment, StdioClientTransport } =
      await import('@modelcontextprotocol/client/stdio');
    if (!groups) {
      // Where there are no process groups, programs may be scripts of a shell, which the SDK knows how to start.
      const { command, args } = programOf(reach);
      const where = reach.cwd === undefined ? {} : { cwd: reach.cwd };
      const params = {
        command,
        args: [...args],
        env: reach.env,
        stderr: 'ignore' as const,
        ...where,
      };
      return new StdioClientTransport({ ...params, maxBufferSize: maxMessageBytes });
    }
    const parts = { parse: sdk.parseJSONRPCMessage, environment: getDefaultEnvironment };
    return new StdioTransport(reach, parts, { name, maxMessageBytes, logger });
  }
  const options = {
    fetch: serverFetch(reach, { name, maxMessageBytes, tooLarge: onTooLarge }),
    ...(reach.auth === undefined ? {} : { authProvider: reach.auth }),
  };
  const url = new URL(reach.url);
  return reach.type === 'sse'
    ? new sdk.SSEClientTransport(url, options)
    : new sdk.StreamableHTTPClientTransport(url, options);
}

/** Ends a transport; a session over HTTP is given back to its server first, if that is quick. */
async function end(transport: Transport): Promise<void> {
  if ('terminateSession' in transport && typeof transport.terminateSession === 'function') {
    const given: unknown = Reflect.apply(transport.terminateSession, transport, []);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, 1_000);
    });
    await Promise.race([Promise.resolve(given).catch(() => undefined), late]);
    clearTimeout(timer);
  }
  await transport.close().catch(() => undefined);
}
