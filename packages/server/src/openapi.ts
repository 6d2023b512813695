import type { JsonObject } from '@agent-functions/core';
import { Answer } from './answer.ts';
import { chatRequestSchema } from './chat-request.ts';
import { operations, type Operation } from './operations.ts';
import { titleOf } from './problem.ts';
import { ref, schemas } from './response-schemas.ts';
import type { ApiRoute } from './routes.ts';
import type { Scope } from './scope.ts';

/** The document of the API, of exactly the routes that are served; made when somebody asks. */
export function openApiRoute(scope: Scope, others: readonly ApiRoute[]): ApiRoute {
  let text: string | undefined;
  const route: ApiRoute = {
    method: 'GET',
    path: `${scope.prefix}/openapi.json`,
    name: 'openapi',
    operation: operations.openapi,
    handle: () => {
      text ??= JSON.stringify(openApi(scope, [...others, route]));
      return new Answer(text, {
        status: 200,
        headers: { 'content-type': 'application/json', 'cache-control': 'no-cache' },
      });
    },
  };
  return route;
}

/** OpenAPI 3.1: its schemas are those that validate requests, and those that the tests hold answers against. */
export function openApi(scope: Scope, routes: readonly ApiRoute[]): JsonObject {
  const paths: { [path: string]: { [method: string]: JsonObject } } = {};
  for (const route of routes) {
    (paths[route.path] ??= {})[route.method.toLowerCase()] = operationAt(scope, route);
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Agent Functions',
      version: '1',
      description:
        'Agents over HTTP. Everything that is not 2xx is application/problem+json (RFC 9457).',
    },
    servers: [{ url: scope.base === '' ? '/' : scope.base }],
    tags: ['agents', 'runs', 'sessions', 'server'].map((name) => ({ name })),
    paths,
    components: { schemas },
  };
}

function operationAt(scope: Scope, { operation, agent, path, open }: ApiRoute): JsonObject {
  const { id, summary, tag, request, responses, problems } = operation;
  const parameters = [
    ...(path.includes('{name}') ? [agentName(scope)] : []),
    ...(operation.parameters ?? []),
  ];
  const statuses = [
    ...problems,
    ...(scope.authenticates && open !== true ? [401] : []),
    ...serverProblems,
  ].filter((status) => !(status in responses));
  return {
    operationId: agent === undefined ? id : `${id}_${agent}`,
    summary,
    tags: [tag],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(request === undefined ? {} : { requestBody: requestBody(scope, request) }),
    responses: {
      ...responses,
      ...Object.fromEntries(
        statuses.map((status) => [
          status,
          {
            description: titleOf(status),
            content: { 'application/problem+json': { schema: ref('Problem') } },
          },
        ]),
      ),
    },
  };
}

/** What every route may answer. */
const serverProblems: readonly number[] = [500, 503];

function agentName(scope: Scope): JsonObject {
  return {
    name: 'name',
    in: 'path',
    required: true,
    schema: { type: 'string', enum: [...scope.agents.keys()] },
  };
}

function requestBody(
  scope: Scope,
  { schema, required }: NonNullable<Operation['request']>,
): JsonObject {
  return {
    required,
    content: {
      'application/json': { schema: schema === chatRequestSchema ? chatSchema(scope) : schema },
    },
  };
}

/** Callers may choose settings of the model only where the app says so. */
function chatSchema({ allowModelSettings }: Scope): JsonObject {
  if (allowModelSettings) return chatRequestSchema;
  const { model_settings: _, ...properties } = chatRequestSchema.properties;
  return { ...chatRequestSchema, properties };
}
