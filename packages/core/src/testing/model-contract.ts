import { answerContract } from './model-answer-contract.ts';
import { failureContract } from './model-failure-contract.ts';
import { modelFixture, type ModelCase, type ModelUnderTest } from './model-fixture.ts';
import { historyContract } from './model-history-contract.ts';
import type { ModelScenario, ModelScenarioName } from './model-scenario.ts';
import type { TestFunctions } from './test-functions.ts';

export interface ModelHarness {
  make(scenario: ModelScenario): Promise<ModelUnderTest>;
  /** Scenarios that this wire cannot have, each with the reason. */
  readonly except?: { readonly [name in ModelScenarioName]?: string } | undefined;
}

/**
 * The specification of `Model`: every provider passes it on every wire it speaks. Pass the test runner's functions and
 * a harness that plays `ServerReply`s from a local server.
 */
export function modelContract(test: TestFunctions, name: string, harness: ModelHarness): void {
  const define: ModelCase = (title, scenario, body) => {
    const reason = harness.except?.[scenario.name];
    if (reason !== undefined) return;
    test.it(
      title,
      async () => {
        const made = await harness.make(scenario);
        try {
          await body(modelFixture(made));
        } finally {
          await made.dispose();
        }
      },
      20_000,
    );
  };

  test.describe(`model: ${name}`, () => {
    answerContract(define);
    failureContract(define);
    historyContract(define);
  });
}
