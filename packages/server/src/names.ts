import { Agent, UserError } from '@agent-functions/core';
import type { Agents } from './options.ts';
import type { Route } from './routes.ts';

const namePattern = /^[A-Za-z][A-Za-z0-9_-]{0,52}$/;
const takenNames = ['runs', 'sessions', 'agents', 'health', 'openapi', 'admin', 'mcp'];

/** The agents by their names in URLs: their own in a list, the keys in a record. @throws UserError */
export function agentNames<C>(agents: Agents<C>): ReadonlyMap<string, Agent<C, unknown>> {
  const entries: readonly (readonly [string, Agent<C, unknown>])[] = isList(agents)
    ? agents.map((agent) => [agent.name, agent] as const)
    : Object.entries(agents);
  if (entries.length === 0) throw new UserError('The server has no agents. Give it at least one.');
  const named = new Map<string, Agent<C, unknown>>();
  for (const [name, agent] of entries) {
    checkAgentName(name, named.keys());
    const twin = [...named].find(([, other]) => other.name === agent.name);
    if (twin !== undefined) {
      throw new UserError(
        `The agents at ${twin[0]} and ${name} are both named ${agent.name}: runs are recorded under that name. Rename one.`,
      );
    }
    named.set(name, agent);
  }
  return named;
}

function isList<C>(agents: Agents<C>): agents is readonly Agent<C, unknown>[] {
  return Array.isArray(agents);
}

/** @throws UserError for a name that no URL can have, or that is taken; some hosts do not tell cases apart. */
export function checkAgentName(name: string, taken: Iterable<string>): void {
  if (!namePattern.test(name)) {
    throw new UserError(
      `The agent name ${JSON.stringify(name)} is not usable in a URL: start with a letter, then letters, digits, _ or -, at most 53 characters.`,
    );
  }
  const lower = name.toLowerCase();
  if (takenNames.includes(lower)) {
    throw new UserError(`The agent name "${name}" is taken by a route. Choose another.`);
  }
  for (const other of taken) {
    if (other.toLowerCase() === lower) {
      throw new UserError(
        `Two agents are named ${other}${other === name ? '' : ` and ${name}`}: their URLs are the same. Rename one.`,
      );
    }
  }
}

/** `'api'`, `'/api/'` → `'/api'`; `''` and `'/'` → `''`. */
export function prefixOf(prefix = '/api'): string {
  const trimmed = prefix.replace(/^\/+|\/+$/g, '');
  if (trimmed !== '' && !/^[A-Za-z0-9._~-]+(\/[A-Za-z0-9._~-]+)*$/.test(trimmed)) {
    throw new UserError(
      `routePrefix ${JSON.stringify(prefix)} is not usable. Write it like '/api'.`,
    );
  }
  return trimmed === '' ? '' : `/${trimmed}`;
}

/** @throws UserError for two routes with one method and path. */
export function checkRoutes(routes: readonly Route[]): void {
  const seen = new Map<string, Route>();
  for (const route of routes) {
    const path = route.path.replaceAll(/\{[^}]*\}/g, '{}').toLowerCase();
    const key = `${route.method} ${path}`;
    const other = seen.get(key) ?? seen.get(`* ${path}`);
    if (other !== undefined) {
      throw new UserError(
        `Two routes answer ${route.method} ${route.path}: ${other.name} and ${route.name}. Change one of them.`,
      );
    }
    seen.set(key, route);
  }
}
