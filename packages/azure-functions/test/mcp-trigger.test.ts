import { Agent, silentLogger, tool } from '@agent-functions/core';
import { scriptedModel } from '@agent-functions/core/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { AgentFunctionApp, type AgentFunctionAppOptions } from '../src/index.ts';
import { miniHost, type MiniHost } from './mini-host.ts';

const hosts: MiniHost[] = [];
afterEach(async () => {
  for (const host of hosts.splice(0)) await host.close();
});

async function start(
  agents: readonly Agent<unknown, unknown>[],
  options: Partial<AgentFunctionAppOptions> = {},
): Promise<MiniHost> {
  const host = await miniHost(
    () =>
      new AgentFunctionApp({
        agents,
        mcp: true,
        enableStreaming: false,
        logger: silentLogger,
        ...options,
      }),
  );
  hosts.push(host);
  return host;
}

function echo(): Agent {
  return new Agent({
    name: 'echo',
    description: 'Says how much was said.',
    streaming: true,
    model: scriptedModel(({ messages }) => `I read ${messages.length}.`),
  });
}

function clerk(): Agent {
  return new Agent({
    name: 'clerk',
    tools: [
      tool({
        name: 'refund',
        description: 'Refunds.',
        parameters: z.object({ amount: z.number() }),
        needsApproval: true,
        execute: () => 'ok',
      }),
    ],
    model: scriptedModel(({ messages }) =>
      messages.at(-1)?.role === 'tool' ? 'Refunded.' : { calls: [['refund', { amount: 12 }]] },
    ),
  });
}

describe("the host's own MCP server", () => {
  it('has each agent as a tool with typed properties, and the tools that follow runs', async () => {
    const booking = new Agent({
      name: 'booking',
      inputType: z.object({
        city: z.string().describe('Where to.'),
        nights: z.number().int(),
        guests: z.array(z.string()).optional(),
      }),
      model: scriptedModel(({ messages }) => JSON.stringify(messages.at(-1)?.parts)),
    });
    const host = await start([echo(), booking]);
    expect(host.tools.map(({ name }) => name)).toEqual([
      'echo',
      'booking',
      'get_run',
      'decide_run',
      'cancel_run',
    ]);
    expect(host.tools[0]).toMatchObject({
      description: 'Says how much was said.',
      properties: [
        { propertyName: 'message', propertyType: 'string', isRequired: true },
        { propertyName: 'session_id', propertyType: 'string', isRequired: false },
      ],
    });
    expect(host.tools[1]?.properties).toMatchObject([
      { propertyName: 'city', propertyType: 'string', isRequired: true, description: 'Where to.' },
      { propertyName: 'nights', propertyType: 'integer', isRequired: true },
      { propertyName: 'guests', propertyType: 'string', isRequired: false, isArray: true },
      { propertyName: 'session_id' },
    ]);
    const booked = await host.callTool('booking', { city: 'Bern', nights: 2 });
    expect(booked.text).toContain(String.raw`{\"city\":\"Bern\",\"nights\":2}`);
    expect(await host.callTool('booking', { city: 'Bern' })).toMatchObject({
      text: expect.stringContaining('The input does not fit. nights: '),
      structured: { status: 'refused' },
    });
  });

  it('answers, and goes on with a conversation', async () => {
    const host = await start([echo()]);
    const first = await host.callTool('echo', { message: 'One', session_id: '' });
    expect(first).toMatchObject({
      text: 'I read 1.',
      structured: { status: 'completed', agent: 'echo', run_id: expect.any(String) },
    });
    const { session_id } = first.structured;
    expect((await host.callTool('echo', { message: 'Two', session_id })).text).toBe('I read 3.');
    expect(await host.callTool('echo', { message: 'Two', session_id: 'other' })).toMatchObject({
      structured: { status: 'refused' },
      text: expect.stringContaining('session_id is unknown'),
    });
  });

  it('says what a run waits for, and takes the decision', async () => {
    const host = await start([clerk()]);
    const { structured, text } = await host.callTool('clerk', { message: 'Refund 12.' });
    expect(structured).toMatchObject({
      status: 'interrupted',
      interruptions: [{ tool_name: 'refund', input: { amount: 12 } }],
    });
    expect(text).toContain('Call decide_run');
    const { run_id } = structured;
    const [asked] = z
      .array(z.object({ id: z.string() }))
      .length(1)
      .parse(structured['interruptions']);
    expect((await host.callTool('get_run', { run_id })).structured).toMatchObject({
      status: 'interrupted',
    });
    const decisions = [{ interruption_id: asked?.id, approved: true }];
    expect(await host.callTool('decide_run', { run_id, decisions })).toMatchObject({
      text: 'Refunded.',
      structured: { status: 'completed' },
    });
    expect((await host.callTool('get_run', { run_id: 'nobody' })).structured).toMatchObject({
      status: 'refused',
      code: 'not_found',
    });
  });

  it('is refused where the app must know who calls', () => {
    const authenticate = () => ({ id: 'ada' });
    const app = (options: Partial<AgentFunctionAppOptions>) => () =>
      new AgentFunctionApp({ agents: [echo()], mcp: true, createTriggers: false, ...options });
    expect(app({ authenticate })).toThrow('Write protocols: [mcp()] instead');
    expect(app({ easyAuth: true })).toThrow('Write protocols: [mcp()] instead');
    expect(app({ authenticate, allowAnonymous: true })).not.toThrow();
  });
});
