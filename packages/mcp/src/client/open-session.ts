import type { Client, Transport } from '@modelcontextprotocol/client';
import { AgentError, isJsonObject, toJson, type JsonObject } from '@agent-functions/core';
import { isRecord, recordOf, stringOf } from '@agent-functions/core/provider';
import { serverFetch } from './http-fetch.ts';
import { Session } from './session.ts';
import type { HttpReach, Settings, StdioReach } from './settings.ts';
import { StdioTransport } from './stdio-transport.ts';
import { toLogLevel, toLogText } from './server-log.ts';
import { version } from './version.ts';

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
  const client = new sdk.Client(
    { name: 'agent-functions', version },
    {
      capabilities: { elicitation: { form: {}, url: {} } },
      jsonSchemaValidator: new CfWorkerJsonSchemaValidator(),
      ...(older ? { supportedProtocolVersions: [protocolVersion] } : {}),
      versionNegotiation: {
        mode: older ? 'legacy' : protocolVersion === 'auto' ? 'auto' : { pin: protocolVersion },
        probe: { timeoutMs: Math.ceil(connectTimeoutMs / 2) },
      },
      listChanged: {
        tools: { autoRefresh: false, debounceMs: 0, onChanged: () => session.toolsChanged() },
      },
    },
  );
  const transport = await transportOf(settings, reach, () =>
    session.lose('an answer was too large'),
  );
  const session: Session = new Session(client, {
    name: settings.name,
    close: () => end(transport),
    own: true,
  });
  answerServer(client, settings, session);
  try {
    await client.connect(transport, {
      signal,
      timeout: connectTimeoutMs,
      ...(era === 'older' ? { prior: { kind: 'legacy' as const } } : {}),
    });
  } catch (error) {
    await end(transport);
    throw error;
  }
  client.onclose = () => session.lose('the connection was closed');
  client.onerror = (error) => {
    settings.logger.log('debug', `MCP server ${settings.name}: ${error.message.slice(0, 300)}`, {
      server: settings.name,
    });
    if (isLoss(error)) session.lose('the connection broke');
  };
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

function closedAtProbe(error: unknown, { protocolVersion }: Settings): boolean {
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
    const { getDefaultEnvironment } = await import('@modelcontextprotocol/client/stdio');
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

/** What a server may ask of us, and what it tells: forms are handed on or declined, sampling is refused. */
function answerServer(client: Client, settings: Settings, session: Session): void {
  client.setRequestHandler('elicitation/create', async ({ params }) => {
    const content = await elicited(settings, recordOf(params), session);
    return content === undefined ? { action: 'decline' } : { action: 'accept', content };
  });
  client.fallbackRequestHandler = async (request) => {
    session.warn(
      request.method === 'sampling/createMessage' ? 'mcp-sampling-refused' : 'mcp-request-refused',
      `MCP server ${settings.name} asked for ${request.method}, which agents do not do for servers. It was refused.`,
    );
    throw Object.assign(new Error(`${request.method} is refused.`), { code: -32_601 });
  };
  client.setNotificationHandler('notifications/message', ({ params }) => {
    settings.logger.log(
      toLogLevel(params.level),
      `MCP server ${settings.name}: ${toLogText(params.data)}`,
      {
        server: settings.name,
      },
    );
  });
}

type FormContent = { [field: string]: string | number | boolean | string[] };

/** The content of a form that a server wants in the middle of a call; `undefined`: nobody could say. */
async function elicited(
  { name, elicit, elicitTimeoutMs }: Settings,
  params: { readonly [name: string]: unknown },
  session: Session,
): Promise<FormContent | undefined> {
  const schema = params['requestedSchema'];
  const declined = (why: string): undefined => {
    session.warn(
      'mcp-elicitation-declined',
      `MCP server ${name} asked for input in the middle of a call: ${why}. It was declined.`,
    );
    return undefined;
  };
  if (elicit === undefined || !isRecord(schema)) return declined('there is nobody to ask');
  const late = AbortSignal.timeout(elicitTimeoutMs);
  try {
    const content = await Promise.race([
      Promise.resolve(
        elicit(
          { message: stringOf(params['message']) ?? '', schema: toObject(schema) },
          { signal: late },
        ),
      ),
      new Promise<never>((_resolve, reject) => {
        late.addEventListener('abort', () => reject(new Error('late')), { once: true });
      }),
    ]);
    return content === undefined ? declined('the answer was no') : toContent(content);
  } catch (error) {
    return declined(
      late.aborted
        ? `nobody answered within ${elicitTimeoutMs} ms (elicitTimeoutMs)`
        : `elicit() failed (${error instanceof Error ? error.name : 'error'})`,
    );
  }
}

function toObject(value: object): JsonObject {
  const json = toJson(value);
  return isJsonObject(json) ? json : {};
}

function toContent(content: JsonObject): FormContent {
  const fields: FormContent = {};
  for (const [name, value] of Object.entries(content)) {
    if (Array.isArray(value)) fields[name] = value.map(String);
    else if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
      fields[name] = value;
    } else {
      throw new AgentError(
        'user_error',
        `elicit() answered ${name} with something that no form has.`,
      );
    }
  }
  return fields;
}
