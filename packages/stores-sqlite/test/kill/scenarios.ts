import { handoffScenarios } from './handoff-scenarios.ts';
import { soloScenarios } from './solo-scenarios.ts';
import type { Scenario } from './scenario.ts';

export const scenarios: readonly Scenario[] = [...soloScenarios, ...handoffScenarios];

export function scenarioOf(name: string): Scenario {
  const scenario = scenarios.find((one) => one.name === name);
  if (scenario === undefined) throw new Error(`no scenario ${name}`);
  return scenario;
}
