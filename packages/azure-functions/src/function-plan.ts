import { UserError } from '@agent-functions/core';
import type { RouteInfo } from '@agent-functions/server';
import type { HttpMethod } from '@azure/functions';

export type AuthLevel = 'anonymous' | 'function' | 'admin';

/** One function to register. */
export interface PlannedFunction {
  readonly name: string;
  /** Without a leading slash, and without the host's own prefix. */
  readonly route: string;
  readonly methods: readonly HttpMethod[];
  readonly authLevel: AuthLevel;
  /** Of an agent with a level of its own: its name. Nobody else's function answers for it. */
  readonly ownAgent?: string | undefined;
  /** Answers whoever asks: the health of the app. */
  readonly open?: boolean | undefined;
}

export interface PlanOptions {
  /** Of the whole API, the app's routes and the protocols' included. */
  readonly routes: readonly RouteInfo[];
  /** What the host writes before every route (`host.json`), without slashes. */
  readonly hostPrefix: string;
  readonly authLevel: AuthLevel;
  readonly agentAuthLevels: Readonly<Record<string, AuthLevel>>;
  /** Names of routes that are registered with their own methods only: the app may have others on the same path. */
  readonly foreign: ReadonlySet<string>;
}

/** The server answers a wrong method with 405; the host would say 404 for a path that is there. */
const allMethods: readonly HttpMethod[] = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
];

/**
 * The functions of an app: one a path. The host asks functions in the order of their names, and `own` comes before
 * `shared`: so the literal path of an agent with its own level wins over the pattern that serves the others.
 *
 * @throws UserError for a route that the host cannot reach under its prefix.
 */
export function planFunctions(options: PlanOptions): readonly PlannedFunction[] {
  const planned = options.routes.flatMap((route) => functionsOf(route, options));
  const byPath = new Map<string, PlannedFunction>();
  for (const one of planned) {
    const key = one.route.toLowerCase();
    const other = byPath.get(key);
    byPath.set(key, other === undefined ? one : merged(other, one));
  }
  return named([...byPath.values()]);
}

function functionsOf(route: RouteInfo, options: PlanOptions): readonly PlannedFunction[] {
  const { agentAuthLevels, foreign } = options;
  const methods =
    foreign.has(route.name) || route.name === 'preflight' ? methodsOf(route.method) : allMethods;
  const path = underPrefix(route.path, options.hostPrefix);
  const own = route.agent === undefined ? undefined : agentAuthLevels[route.agent];
  if (own !== undefined) {
    return [
      {
        name: `agents-own-${route.agent}-${route.name}-short`,
        route: path,
        methods,
        authLevel: own,
        ownAgent: route.agent,
      },
    ];
  }
  const shared: PlannedFunction = {
    name: foreign.has(route.name)
      ? `agents-${route.name}-${slug(path)}`
      : `agents-shared-${route.name}${route.agent === undefined ? '' : `-${route.agent}`}`,
    route: path,
    methods,
    // Liveness names nothing, and whoever watches over an app has no key; nor has who looks for an agent's card.
    authLevel: route.name === 'health' || route.open === true ? 'anonymous' : options.authLevel,
    open: route.name === 'health' || route.name === 'ready' || route.open === true,
  };
  if (!isAgentPattern(route)) return [shared];
  const literal = Object.entries(agentAuthLevels).map(([agent, authLevel]): PlannedFunction => ({
    name: `agents-own-${agent}-${route.name}`,
    route: path.replace('{name}', agent),
    methods,
    authLevel,
    ownAgent: agent,
  }));
  return [...literal, shared];
}

/** Whether the route serves every agent, by its name in the path. */
export function isAgentPattern(route: Pick<RouteInfo, 'name' | 'path'>): boolean {
  return (route.name === 'chat' || route.name === 'info') && route.path.includes('{name}');
}

function merged(one: PlannedFunction, other: PlannedFunction): PlannedFunction {
  return {
    ...one,
    methods: [...new Set([...one.methods, ...other.methods])],
    // One function, one level: what is for everybody does not open what is not.
    authLevel: one.authLevel === 'anonymous' ? other.authLevel : one.authLevel,
    open: one.open === true && other.open === true,
  };
}

function named(all: readonly PlannedFunction[]): readonly PlannedFunction[] {
  const taken = new Set<string>();
  return all.map((one) => {
    let { name } = one;
    for (let n = 2; taken.has(name.toLowerCase()); n++) name = `${one.name}-${n}`;
    taken.add(name.toLowerCase());
    return { ...one, name };
  });
}

function methodsOf(method: string): readonly HttpMethod[] {
  if (method === '*') return allMethods;
  const found = allMethods.find((each) => each === method.toUpperCase());
  if (found === undefined) {
    throw new UserError(
      `The method ${method} cannot be a Functions route. Methods: ${allMethods.join(', ')}.`,
    );
  }
  return found === 'GET' ? ['GET', 'HEAD'] : [found];
}

function underPrefix(path: string, prefix: string): string {
  const route = path.replace(/^\/+/, '');
  if (prefix === '') return route;
  if (route === prefix || route.startsWith(`${prefix}/`)) return route.slice(prefix.length + 1);
  throw new UserError(
    `The host puts "${prefix}" before every route, so ${path} cannot be reached. Write "routePrefix": "" under extensions.http in host.json, and leave routePrefix out here.`,
  );
}

function slug(path: string): string {
  const words = path.replaceAll(/[^A-Za-z0-9]+/g, '-').replaceAll(/^-|-$/g, '');
  return words.slice(0, 80) || 'root';
}
