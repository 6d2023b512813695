import type { RouteInfo } from '@agent-functions/server';
import { describe, expect, it } from 'vitest';
import { planFunctions, type PlanOptions } from './function-plan.ts';

const api: readonly RouteInfo[] = [
  { method: 'POST', path: '/api/agents/{name}/chat', name: 'chat' },
  { method: 'GET', path: '/api/agents/{name}/info', name: 'info' },
  { method: 'GET', path: '/api/agents', name: 'agents' },
  { method: 'GET', path: '/api/health', name: 'health' },
  { method: 'GET', path: '/api/health/ready', name: 'ready' },
  { method: 'GET', path: '/api/runs/{id}', name: 'run' },
  { method: 'POST', path: '/api/weather/chat', name: 'chat', agent: 'weather' },
  { method: 'POST', path: '/api/travel/chat', name: 'chat', agent: 'travel' },
];

function plan(options: Partial<PlanOptions> = {}) {
  return planFunctions({
    routes: api,
    hostPrefix: '',
    authLevel: 'function',
    agentAuthLevels: {},
    foreign: new Set(['app', 'mcp']),
    ...options,
  });
}

describe('planFunctions', () => {
  it('makes one function a path, with literal routes for the short forms', () => {
    expect(plan().map(({ name, route }) => [name, route])).toEqual([
      ['agents-shared-chat', 'api/agents/{name}/chat'],
      ['agents-shared-info', 'api/agents/{name}/info'],
      ['agents-shared-agents', 'api/agents'],
      ['agents-shared-health', 'api/health'],
      ['agents-shared-ready', 'api/health/ready'],
      ['agents-shared-run', 'api/runs/{id}'],
      ['agents-shared-chat-weather', 'api/weather/chat'],
      ['agents-shared-chat-travel', 'api/travel/chat'],
    ]);
  });

  it('asks for the key of the app, except for liveness', () => {
    const levels = new Map(plan().map(({ name, authLevel }) => [name, authLevel]));
    expect(levels.get('agents-shared-chat')).toBe('function');
    expect(levels.get('agents-shared-ready')).toBe('function');
    expect(levels.get('agents-shared-health')).toBe('anonymous');
  });

  it('asks for no key where a protocol is open to everybody, unless another shares the path', () => {
    const routes: readonly RouteInfo[] = [
      { method: 'GET', path: '/.well-known/card.json', name: 'mcp', open: true },
      { method: 'GET', path: '/both', name: 'mcp', open: true },
      { method: 'POST', path: '/both', name: 'mcp' },
    ];
    expect(plan({ routes }).map(({ route, authLevel, open }) => [route, authLevel, open])).toEqual([
      ['.well-known/card.json', 'anonymous', true],
      ['both', 'function', false],
    ]);
  });

  it('gives an agent with its own level its own functions, which sort before the shared ones', () => {
    const functions = plan({ agentAuthLevels: { weather: 'admin' } });
    const own = functions.filter(({ ownAgent }) => ownAgent === 'weather');
    expect(own.map(({ name, route, authLevel }) => [name, route, authLevel])).toEqual([
      ['agents-own-weather-chat', 'api/agents/weather/chat', 'admin'],
      ['agents-own-weather-info', 'api/agents/weather/info', 'admin'],
      ['agents-own-weather-chat-short', 'api/weather/chat', 'admin'],
    ]);
    for (const compare of [ordinal, ignoringCase, new Intl.Collator('en').compare]) {
      const sorted = functions.map(({ name }) => name).toSorted(compare);
      expect(sorted.indexOf('agents-own-weather-chat')).toBeLessThan(
        sorted.indexOf('agents-shared-chat'),
      );
    }
  });

  it('takes every method of our own paths, and of the app only what it named', () => {
    const routes: readonly RouteInfo[] = [
      { method: 'GET', path: '/api/health', name: 'health' },
      { method: 'POST', path: '/api/orders', name: 'app' },
      { method: 'GET', path: '/api/orders', name: 'app' },
      { method: 'OPTIONS', path: '/api/orders', name: 'preflight' },
      { method: '*', path: '/mcp', name: 'mcp' },
    ];
    const methods = plan({ routes }).map((one) => [one.name, one.methods.join(' ')]);
    expect(methods).toEqual([
      ['agents-shared-health', 'GET HEAD POST PUT PATCH DELETE OPTIONS'],
      ['agents-app-api-orders', 'POST GET HEAD OPTIONS'],
      ['agents-mcp-mcp', 'GET HEAD POST PUT PATCH DELETE OPTIONS'],
    ]);
  });

  it('keeps names apart that would read the same', () => {
    const routes: readonly RouteInfo[] = [
      { method: 'GET', path: '/a/b', name: 'app' },
      { method: 'GET', path: '/a-b', name: 'app' },
      { method: 'GET', path: '/', name: 'app' },
    ];
    expect(plan({ routes }).map(({ name }) => name)).toEqual([
      'agents-app-a-b',
      'agents-app-a-b-2',
      'agents-app-root',
    ]);
  });

  it('leaves out the prefix that the host writes itself', () => {
    const routes: readonly RouteInfo[] = [
      { method: 'GET', path: '/v1/health', name: 'health' },
      { method: 'GET', path: '/v1', name: 'app' },
    ];
    expect(plan({ routes, hostPrefix: 'v1' }).map(({ route }) => route)).toEqual(['health', '']);
  });

  it('refuses a route that the prefix of the host makes unreachable', () => {
    const routes: readonly RouteInfo[] = [{ method: '*', path: '/mcp', name: 'mcp' }];
    expect(() => plan({ routes, hostPrefix: 'api' })).toThrow(
      /\/mcp cannot be reached\. Write "routePrefix": ""/,
    );
  });

  it('refuses a method that a Functions route cannot have', () => {
    const routes: readonly RouteInfo[] = [{ method: 'BREW', path: '/tea', name: 'app' }];
    expect(() => plan({ routes })).toThrow(/The method BREW/);
  });
});

function ordinal(a: string, b: string): number {
  return a < b ? -1 : 1;
}

function ignoringCase(a: string, b: string): number {
  return a.toUpperCase() < b.toUpperCase() ? -1 : 1;
}
