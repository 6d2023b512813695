import { sha256Hex, type HttpHandler, type ProtocolRoute } from '@agent-functions/core';
import { originOf } from './call.ts';
import { versionOf } from './negotiate.ts';
import type { Scope } from './scope.ts';
import { loadLegacy, loadSdk } from './sdk.ts';

/** How an agent's card is served. */
interface CardOptions {
  readonly maxAgeSeconds: number;
  /** When the cards were made: they change with the deployment. */
  readonly madeAt: number;
}

/**
 * The card under its two names (specification 8.2, 8.6): `agent-card.json`, and `agent.json` of earlier clients, which is
 * the 0.3 form unless the request says 1.0. Everybody may read it.
 */
export function cardRoutes(
  scope: Scope,
  base: string,
  options: CardOptions,
): readonly ProtocolRoute[] {
  const route = (file: string, handler: HttpHandler): ProtocolRoute => ({
    method: 'GET',
    path: `${base}/.well-known/${file}`,
    open: true,
    handler,
  });
  return [
    route('agent-card.json', (request) => {
      const asked = request.headers.get('a2a-version') !== null;
      return served(scope, request, options, asked && versionOf(request) === '0.3');
    }),
    route('agent.json', (request) => served(scope, request, options, versionOf(request) === '0.3')),
  ];
}

async function served(
  scope: Scope,
  request: Request,
  { maxAgeSeconds, madeAt }: CardOptions,
  isLegacy: boolean,
): Promise<Response> {
  const body = JSON.stringify(await cardAs(scope, originOf(scope, request), isLegacy));
  const etag = `"${await sha256Hex(body, 128)}"`;
  const lastModified = Math.floor(madeAt / 1_000) * 1_000;
  const headers = {
    'content-type': 'application/json',
    'cache-control': `public, max-age=${maxAgeSeconds}`,
    etag,
    'last-modified': new Date(lastModified).toUTCString(),
    vary: 'a2a-version',
  };
  return isFresh(request.headers, etag, lastModified)
    ? new Response(null, { status: 304, headers })
    : new Response(body, { headers });
}

async function cardAs(scope: Scope, origin: string, isLegacy: boolean): Promise<unknown> {
  const card = scope.card(origin);
  const { core, server } = await loadSdk();
  const current = core.AgentCard.toJSON(card);
  if (!isLegacy) return current;
  const { LegacyJsonRpcTransportHandler } = await loadLegacy();
  // The translation of cards is reached by the method that answers one.
  const { result } = await new LegacyJsonRpcTransportHandler({
    ...unreachable,
    getAgentCard: async () => card,
    getAuthenticatedExtendedAgentCard: async () => card,
  })
    .handle(
      { jsonrpc: '2.0', id: 1, method: 'agent/getAuthenticatedExtendedCard' },
      new server.ServerCallContext({ requestedVersion: '0.3' }),
    )
    .then((answer) => ('result' in answer ? answer : { result: undefined }));
  return { ...Object(result), supportedInterfaces: Object(current).supportedInterfaces };
}

const never = (): never => {
  throw new Error('Only the card is asked for.');
};
const unreachable = {
  sendMessage: never,
  sendMessageStream: never,
  getTask: never,
  listTasks: never,
  cancelTask: never,
  resubscribe: never,
  createTaskPushNotificationConfig: never,
  getTaskPushNotificationConfig: never,
  listTaskPushNotificationConfigs: never,
  deleteTaskPushNotificationConfig: never,
};

/** RFC 9110, 13.2.2: the tag counts, and the time only where none is sent. */
function isFresh(headers: Headers, etag: string, lastModified: number): boolean {
  const tags = headers.get('if-none-match');
  if (tags !== null) {
    return tags.split(',').some((tag) => ['*', etag].includes(tag.trim().replace(/^W\//, '')));
  }
  const since = Date.parse(headers.get('if-modified-since') ?? '');
  return !Number.isNaN(since) && lastModified <= since;
}
