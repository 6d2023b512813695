import { Agent } from '@agent-functions/core';
import { scriptedModel } from '@agent-functions/core/testing';
import { call, effectTool, type Scenario } from '../../../stores-sqlite/test/kill/scenario.ts';
import { scenarioOf as sharedScenarioOf } from '../../../stores-sqlite/test/kill/scenarios.ts';
import { handoffScenarios } from '../../../stores-sqlite/test/kill/handoff-scenarios.ts';
import { soloScenarios } from '../../../stores-sqlite/test/kill/solo-scenarios.ts';

// The scenarios of the kill test, and one whose tool takes its time.

/** How long the effect of the slow scenario takes. */
export const slowMs = 700;

const slow: Scenario = {
  name: 'slow',
  answer: 'Paid slowly.',
  calls: 1,
  requests: 2,
  agent: (outside) =>
    new Agent({
      name: 'bot',
      model: scriptedModel([{ calls: [call('pay')] }, 'Paid slowly.'], { by: 'conversation' }),
      tools: [
        effectTool(
          {
            ...outside,
            async effect(key, name) {
              await outside.effect(key, name);
              await new Promise((resolve) => setTimeout(resolve, slowMs));
            },
          },
          'pay',
          'once',
        ),
      ],
    }),
};

export const scenarios: readonly Scenario[] = [...soloScenarios, ...handoffScenarios];

export function scenarioOf(name: string): Scenario {
  return name === slow.name ? slow : sharedScenarioOf(name);
}
