import { Agent, silentLogger } from '@agent-functions/core';
import { scriptedModel } from '@agent-functions/core/testing';
import { describe, expect, it } from 'vitest';
import {
  AgentFunctionApp,
  ControlReturn,
  HandoffMode,
  HandoffStrategy,
  type HandoffConfig,
} from '../src/index.ts';

const quiet = { createTriggers: false, logger: silentLogger };

const handoffConfig: HandoffConfig = {
  mode: HandoffMode.COORDINATOR,
  strategy: HandoffStrategy.DIRECT,
  defaultReturn: ControlReturn.RETURN_TO_CALLER,
  targets: [{ agentName: 'weather' }],
};

function agents() {
  const weather = new Agent({ name: 'weather', model: scriptedModel(() => 'It rains.') });
  const desk = new Agent({
    name: 'desk',
    model: scriptedModel(() => 'It rains, says weather.'),
    handoffConfig,
  });
  return { weather, desk };
}

describe('agents of an app that hand off to each other by name', () => {
  it('are handed to by the runner of the app', async () => {
    const app = new AgentFunctionApp({ ...quiet, agents: agents() });
    const runner = app.getRunner('desk');
    expect([runner.canHandoffTo('weather'), runner.canHandoffTo('sports')]).toEqual([true, false]);
    const result = await runner.handoffTo({
      targetAgent: 'weather',
      inputData: 'Seattle',
      conversationId: 'c',
      reason: 'Asked by a timer.',
    });
    expect(result).toMatchObject({
      status: 'completed',
      response: 'It rains, says weather.',
      handoffPath: ['desk', 'weather'],
      hops: [{ from: 'desk', to: 'weather', primitive: 'call', reason: 'Asked by a timer.' }],
    });
    const alone = await app.runners['desk']?.handoffTo({
      targetAgent: 'weather',
      inputData: 'Seattle',
      expectedReturn: ControlReturn.BUBBLE_UP,
    });
    expect(alone?.response).toBe('It rains.');
  });

  it('are refused while the app is made, where one is missing', () => {
    const { weather, desk } = agents();
    const lacking = () => new AgentFunctionApp({ ...quiet, agents: [desk] });
    expect(lacking).toThrow(
      'Agent desk hands off to weather, which nobody knows here. Give the agent itself, or pass agents: [...] to the Runner or the app. Known: desk.',
    );
    const app = new AgentFunctionApp({ ...quiet, agents: [weather] }).addAgent(desk);
    expect(() => app.removeAgent('weather')).toThrow(/hands off to weather/);
    expect(app.listAgents()).toEqual(['weather', 'desk']);
  });
});
