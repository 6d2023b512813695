import type { Client } from '@modelcontextprotocol/client';
import { AgentError, isJsonObject, toJson, type JsonObject } from '@agent-functions/core';
import { isRecord, recordOf, stringOf } from '@agent-functions/core/provider';
import { toLogLevel, toLogText } from './server-log.ts';
import type { Session } from './session.ts';
import type { Settings } from './settings.ts';

/** What a server may ask of us, and what it tells: forms are handed on or declined, sampling is refused. */
export function answerServer(client: Client, settings: Settings, session: Session): void {
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
