import { Agent, jsonSchema, silentLogger, withContext, type Runner } from '@agent-functions/core';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { AgentFunctionApp } from '../src/index.ts';

interface Ctx {
  readonly a: string;
}
interface Other {
  readonly z: number;
}

const quiet = { createTriggers: false, logger: silentLogger };
const plain = new Agent({ name: 'plain' });
const tri = withContext<Ctx>().agent({ name: 'tri' });
const numbered = jsonSchema<{ n: number }>(
  { type: 'object' },
  { validate: (value) => ({ n: Number(value) }) },
);
const other = withContext<Other>().agent({ name: 'other' });

describe('the context of the agents', () => {
  it('is asked for exactly when an agent needs one', () => {
    const apps = [
      new AgentFunctionApp({ ...quiet, agents: [plain] }).listAgents(),
      new AgentFunctionApp({
        ...quiet,
        agents: { tri, plain },
        context: () => ({ a: '' }),
      }).listAgents(),
      // @ts-expect-error the host must be told how to build the context
      new AgentFunctionApp({ ...quiet, agents: [tri] }).listAgents(),
    ];
    expect(apps).toEqual([['plain'], ['tri', 'plain'], ['tri']]);
  });

  it('is what all agents together need', () => {
    const app = new AgentFunctionApp({
      ...quiet,
      agents: { tri, other },
      context: () => ({ a: '', z: 1 }),
    });
    expectTypeOf(app.getRunner('tri')).toExtend<Runner<Ctx & Other, unknown>>();
    // No context: the app makes it.
    expectTypeOf((message: string) => app.getRunner('tri').run(message)).toBeFunction();
    const lacking = new AgentFunctionApp({
      ...quiet,
      // @ts-expect-error the context of one agent is missing
      agents: { tri, other },
      context: () => ({ a: '' }),
    });
    expect(lacking.listAgents()).toEqual(['tri', 'other']);
  });

  it('is that of an agent that hands off, whatever the answers of the others are', () => {
    const k = withContext<Ctx>();
    const counter = k.agent({ name: 'counter', outputType: numbered });
    const desk = k.agent({ name: 'desk', handoffs: [counter, k.handoff(plain)] });
    expectTypeOf(desk).toExtend<Agent<Ctx, string | { n: number }>>();
    expectTypeOf(desk).not.toExtend<Agent<Ctx>>();
    const app = new AgentFunctionApp({
      ...quiet,
      agents: { desk, plain },
      context: () => ({ a: '' }),
    });
    // @ts-expect-error the host must be told how to build the context
    const lacking = new AgentFunctionApp({ ...quiet, agents: [desk] });
    expect([app.listAgents(), lacking.listAgents()]).toEqual([['desk', 'plain'], ['desk']]);
  });
});
