import { Agent, silentLogger, type Protocol } from '@agent-functions/core';
import { scriptedModel } from '@agent-functions/core/testing';
import { afterEach, describe, expect, it } from 'vitest';
import {
  AgentFunctionApp,
  AgentMode,
  ControlReturn,
  HandoffMode,
  HandoffStrategy,
  LLMProvider,
} from '../src/index.ts';
import { recordingLogger } from './handler-app.ts';
import { miniHost, withoutWorker, type MiniHost, type MiniHostOptions } from './mini-host.ts';

const hosts: MiniHost[] = [];
afterEach(async () => {
  for (const host of hosts.splice(0)) await host.close();
});

async function start(register: () => unknown, options?: MiniHostOptions): Promise<MiniHost> {
  const host = await miniHost(register, options);
  hosts.push(host);
  return host;
}

function agent(name: string): Agent {
  return new Agent({ name, model: scriptedModel([{ text: `I am ${name}.` }]) });
}

const enableStreaming = false;

describe('AgentFunctionApp', () => {
  it('registers one function a path, in front of the same API as fetch', async () => {
    let app: AgentFunctionApp | undefined;
    const host = await start(() => {
      app = new AgentFunctionApp({
        agents: [agent('weather'), agent('travel')],
        enableStreaming,
        httpAuthLevel: 'anonymous',
      });
    });
    expect(host.routes.map(({ route }) => route)).toEqual(
      expect.arrayContaining([
        'api/agents/{name}/chat',
        'api/agents',
        'api/health',
        'api/weather/chat',
        'api/travel/chat',
      ]),
    );
    const [there, here] = await Promise.all([
      fetch(`${host.url}/api/agents`),
      app?.fetch(new Request('http://localhost/api/agents')),
    ]);
    expect(there.status).toBe(200);
    expect(await there.json()).toEqual(await here?.json());
  });

  it('answers a wrong method as the server does, with 405', async () => {
    const host = await start(
      () =>
        new AgentFunctionApp({
          agents: [agent('weather')],
          enableStreaming,
          httpAuthLevel: 'anonymous',
        }),
    );
    const response = await fetch(`${host.url}/api/agents/weather/chat`, { method: 'PUT' });
    expect(response.status).toBe(405);
  });

  it('asks for the key of the app, and for an agent with its own level for that one', async () => {
    const host = await start(
      () =>
        new AgentFunctionApp({
          agents: [agent('weather'), agent('payroll')],
          agentAuthLevels: { payroll: 'admin', weather: 'anonymous' },
          enableStreaming,
        }),
      { keys: { function: 'f', admin: 'a' } },
    );
    const status = async (path: string, key?: string): Promise<number> => {
      const headers = key === undefined ? {} : { 'x-functions-key': key };
      return (await fetch(host.url + path, { headers })).status;
    };
    expect(await status('/api/agents')).toBe(401);
    expect(await status('/api/agents', 'f')).toBe(200);
    expect(await status('/api/health')).toBe(200);
    expect(await status('/api/agents/weather/info')).toBe(200);
    expect(await status('/api/weather/info')).toBe(200);
    expect(await status('/api/agents/payroll/info', 'f')).toBe(401);
    expect(await status('/api/payroll/info', 'f')).toBe(401);
    expect(await status('/api/agents/payroll/info', 'a')).toBe(200);
  });

  it('lets no other spelling of an agent with its own level slip past it', async () => {
    const host = await start(
      () =>
        new AgentFunctionApp({
          agents: [agent('weather'), agent('pay_roll')],
          agentAuthLevels: { pay_roll: 'admin' },
          logger: silentLogger,
          enableStreaming,
        }),
      { keys: { function: 'f', admin: 'a' } },
    );
    for (const name of [
      'pay_roll',
      'Pay_Roll',
      'pay%5Froll',
      'payroll',
      'pay-roll',
      '%70ay_roll',
    ]) {
      const response = await fetch(`${host.url}/api/agents/${name}/info`, {
        headers: { 'x-functions-key': 'f' },
      });
      expect([401, 404], name).toContain(response.status);
    }
  });

  it('registers nothing when the app has triggers of its own', async () => {
    let app: AgentFunctionApp | undefined;
    const host = await start(() => {
      const other = new AgentFunctionApp({ agents: [agent('other')], enableStreaming });
      app = new AgentFunctionApp({ agents: [agent('weather')], createTriggers: false });
      return other;
    });
    expect(host.routes.some(({ route }) => route.includes('weather'))).toBe(false);
    expect(app?.getSingleRunner()).toBe(app?.runners['weather']);
    expect((await app?.fetch(new Request('http://localhost/api/health')))?.status).toBe(200);
  });

  it('takes agents until the app starts', async () => {
    let app: AgentFunctionApp | undefined;
    const host = await start(() => {
      app = new AgentFunctionApp({
        agents: [agent('weather')],
        httpAuthLevel: 'anonymous',
        enableStreaming,
      });
      app.addAgent(agent('travel')).addAgent(agent('budget')).removeAgent('weather');
    });
    expect(app?.listAgents()).toEqual(['travel', 'budget']);
    expect(app?.getAgent('travel')?.name).toBe('travel');
    expect(app?.getAgent('weather')).toBeUndefined();
    expect((await fetch(`${host.url}/api/agents/travel/info`)).status).toBe(200);
    expect((await fetch(`${host.url}/api/travel/info`)).status).toBe(200);
    expect((await fetch(`${host.url}/api/agents/weather/info`)).status).toBe(404);
    expect((await fetch(`${host.url}/api/weather/info`)).status).toBe(404);
    expect(() => app?.addAgent(agent('late'))).toThrow(
      /addAgent\(\) came after the app has started/,
    );
    expect(() => app?.removeAgent('travel')).toThrow(/removeAgent\(\) came after/);
  });

  it('names the agents there are when it is asked for another', () => {
    const app = new AgentFunctionApp({
      agents: { weather: agent('weather'), travel: agent('travel') },
      createTriggers: false,
    });
    expect(() => app.getRunner('constructor')).toThrow(
      /no agent named "constructor"\. There are: weather, travel/,
    );
    expect(() => app.getSingleRunner()).toThrow(/this one has weather, travel/);
    expect(app.getRunner('travel')).toBe(app.runners['travel']);
  });

  it('warns once without a Functions host, and fetch answers', async () => {
    const logger = recordingLogger();
    const app = await withoutWorker(() =>
      new AgentFunctionApp({ agents: [agent('weather')], logger }).addAgent(agent('travel')),
    );
    expect(logger.lines.filter(({ message }) => /no Functions host/.test(message))).toHaveLength(1);
    const response = await app.fetch(new Request('http://localhost/api/agents'));
    expect(response.status).toBe(200);
  });

  it('says when host.json puts another prefix before the routes', async () => {
    const logger = recordingLogger();
    // The working directory of the tests has no host.json; the app's has.
    const cwd = process.cwd();
    process.chdir(new URL('fixtures/default-prefix', import.meta.url).pathname);
    try {
      await start(
        () => new AgentFunctionApp({ agents: [agent('weather')], logger, enableStreaming }),
        { routePrefix: 'api' },
      );
    } finally {
      process.chdir(cwd);
    }
    expect(logger.lines.map(({ message }) => message).join()).toMatch(
      /host\.json puts "api" before every route, and this app counts on ""/,
    );
  });

  it('works under the default prefix when it is told so', async () => {
    const host = await start(
      () =>
        new AgentFunctionApp({
          agents: [agent('weather')],
          routePrefix: 'api',
          httpAuthLevel: 'anonymous',
          enableStreaming,
        }),
      { routePrefix: 'api' },
    );
    expect((await fetch(`${host.url}/api/agents/weather/info`)).status).toBe(200);
    expect((await fetch(`${host.url}/api/weather/info`)).status).toBe(200);
  });
});

describe('what is refused at load', () => {
  const agents = [agent('weather')];

  it('two agents of one name', () => {
    expect(() => new AgentFunctionApp({ agents: [agent('a'), agent('a')] })).toThrow(/"?a"?/);
  });

  it("mode 'a2a' without the protocol, with the line to write", () => {
    expect(() => new AgentFunctionApp({ agents, mode: AgentMode.A2A })).toThrow(
      /new AgentFunctionApp\(\{ agents, mode: 'a2a', protocols: \[a2a\(\)\] \}\)/,
    );
  });

  it('an auth level of an agent that is not there', () => {
    expect(() => new AgentFunctionApp({ agents, agentAuthLevels: { other: 'admin' } })).toThrow(
      /agentAuthLevels: There is no agent named "other"\. There are: weather/,
    );
  });

  it('a level, a mode, a prefix or a time limit that does not exist', () => {
    const words: unknown = JSON.parse(
      '{"httpAuthLevel":"user","mode":"mcp","routePrefix":"a b","functionTimeoutMs":5}',
    );
    for (const [key, value] of Object.entries(words ?? {})) {
      expect(
        () => new AgentFunctionApp({ agents, createTriggers: false, [key]: value }),
        key,
      ).toThrow(key);
    }
  });

  it('two who say who the caller is', () => {
    expect(
      () => new AgentFunctionApp({ agents, easyAuth: true, authenticate: () => ({ id: 'x' }) }),
    ).toThrow(/Both easyAuth and authenticate/);
  });

  it('a protocol that the prefix of the host makes unreachable', () => {
    expect(
      () => new AgentFunctionApp({ agents, routePrefix: 'api', protocols: [greeting] }),
    ).toThrow(/\/greet cannot be reached/);
  });
});

describe('protocols and modes', () => {
  it("mode 'a2a' registers the routes of the protocols, and health", async () => {
    const host = await start(
      () =>
        new AgentFunctionApp({
          agents: [agent('weather')],
          mode: AgentMode.A2A,
          protocols: [greeting],
          httpAuthLevel: 'anonymous',
          enableStreaming,
        }),
    );
    expect(host.routes.map(({ route }) => route).toSorted()).toEqual([
      'api/health',
      'api/health/ready',
      'greet',
    ]);
    expect(await (await fetch(`${host.url}/greet`)).text()).toBe('hello');
  });

  it('warns when a protocol reaches an agent that has a level of its own', () => {
    const logger = recordingLogger();
    const app = new AgentFunctionApp({
      agents: [agent('weather')],
      agentAuthLevels: { weather: 'admin' },
      protocols: [greeting],
      createTriggers: false,
      logger,
    });
    expect(app.listAgents()).toEqual(['weather']);
    expect(logger.lines[0]?.message).toMatch(/greeting reach every agent with the level function/);
  });

  it('has the words of the Python README', () => {
    expect(AgentMode.AZURE_FUNCTION_AGENT).toBe('azure_function_agent');
    expect(Object.values(LLMProvider)).toEqual([
      'openai',
      'azure_openai',
      'anthropic',
      'google',
      'ollama',
      'azure_ai',
    ]);
    expect(Object.values(HandoffMode)).toEqual([
      'swarm',
      'coordinator',
      'sequential',
      'conditional',
    ]);
    expect(Object.values(HandoffStrategy)).toEqual(['direct', 'route', 'broadcast', 'best_match']);
    expect(Object.values(ControlReturn)).toEqual([
      'bubble_up',
      'return_to_caller',
      'continue_chain',
      'end_conversation',
    ]);
  });
});

const greeting: Protocol = {
  name: 'greeting',
  handlers: [{ method: 'GET', path: '/greet', handler: async () => new Response('hello') }],
};
