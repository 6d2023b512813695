import type { Answer } from './answer.ts';
import type { Operation } from './operations.ts';
import type { Exchange } from './scope.ts';

/** What a route answers: data where it can, a `Response` where it streams or comes from the app. */
export type Reply = Answer | Response;

/** One row of the route table. */
export interface Route {
  /** `*`: every method. */
  readonly method: string;
  /** With `{name}` for one segment. */
  readonly path: string;
  readonly name: string;
  readonly agent?: string | undefined;
  /** Served without asking who calls. */
  readonly open?: boolean | undefined;
  readonly handle: (exchange: Exchange) => Reply | Promise<Reply>;
}

/** A route of the API itself, which its OpenAPI document describes. */
export interface ApiRoute extends Route {
  readonly operation: Operation;
}

export type Match =
  | {
      readonly type: 'route';
      readonly route: Route;
      readonly params: Readonly<Record<string, string>>;
    }
  /** The path is there, with these methods. */
  | { readonly type: 'wrong-method'; readonly allow: readonly string[] }
  | { readonly type: 'none' };

/** A table that finds the route of a request: literal paths before patterns, both in the order they were given. */
export function routeTable(routes: readonly Route[]): (method: string, path: string) => Match {
  const literal = new Map<string, Route[]>();
  const patterns: { readonly segments: readonly string[]; readonly route: Route }[] = [];
  for (const route of routes) {
    if (route.path.includes('{')) patterns.push({ segments: route.path.split('/'), route });
    else literal.set(route.path, [...(literal.get(route.path) ?? []), route]);
  }
  return (method, path) => {
    const allow = new Set<string>();
    for (const route of literal.get(path) ?? []) {
      if (fits(route, method)) return { type: 'route', route, params: {} };
      allow.add(route.method);
    }
    const segments = path.split('/');
    for (const pattern of patterns) {
      const params = match(pattern.segments, segments);
      if (params === undefined) continue;
      if (fits(pattern.route, method)) return { type: 'route', route: pattern.route, params };
      allow.add(pattern.route.method);
    }
    if (allow.has('GET')) allow.add('HEAD');
    return allow.size === 0
      ? { type: 'none' }
      : { type: 'wrong-method', allow: [...allow].toSorted() };
  };
}

function fits(route: Route, method: string): boolean {
  return (
    route.method === method || route.method === '*' || (method === 'HEAD' && route.method === 'GET')
  );
}

function match(
  pattern: readonly string[],
  segments: readonly string[],
): Readonly<Record<string, string>> | undefined {
  if (pattern.length !== segments.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, expected] of pattern.entries()) {
    const segment = segments[index] ?? '';
    if (expected.startsWith('{')) {
      const value = decoded(segment);
      if (value === undefined || value === '') return undefined;
      params[expected.slice(1, -1)] = value;
    } else if (expected !== segment) return undefined;
  }
  return params;
}

function decoded(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}
