import { equal, ok } from './assert.ts';
import { abortContract } from './model-abort-contract.ts';
import { answerContract } from './model-answer-contract.ts';
import { brokenStreamContract } from './model-broken-stream-contract.ts';
import { endingContract } from './model-ending-contract.ts';
import { failureContract } from './model-failure-contract.ts';
import { modelFixture, type ModelCase, type ModelUnderTest } from './model-fixture.ts';
import { formContract } from './model-form-contract.ts';
import { historyContract } from './model-history-contract.ts';
import { requestContract } from './model-request-contract.ts';
import type { ModelScenario, ModelScenarioName } from './model-scenario.ts';
import { resultContract } from './model-result-contract.ts';
import { toolContract } from './model-tool-contract.ts';
import type { TestFunctions } from './test-functions.ts';

export interface ModelHarness {
  make(scenario: ModelScenario): Promise<ModelUnderTest>;
  /** Cases that this wire cannot have, each with the reason: shown in the output of the tests, not run. */
  readonly cannot?: { readonly [name in ModelScenarioName]?: string } | undefined;
}

/**
 * The specification of `Model`: every provider passes it on every wire it speaks. Pass the test runner's functions and
 * a harness that plays `ServerReply`s from a local server.
 */
export function modelContract(test: TestFunctions, name: string, harness: ModelHarness): void {
  const define: ModelCase = (title, scenario, body) => {
    const reason = harness.cannot?.[scenario.name];
    if (reason !== undefined) {
      test.it(`cannot: ${title} [${scenario.name}], because ${reason}`, () => {
        ok(reason.trim() !== '', `a reason why ${name} cannot have the case ${scenario.name}`);
      });
      return;
    }
    test.it(
      title,
      async () => {
        const made = await harness.make(scenario);
        try {
          await body(modelFixture(made));
          for (const request of made.requests()) {
            equal(made.faults(request), [], `a request that the vendor takes: ${inShort(request)}`);
          }
        } finally {
          await made.dispose();
        }
      },
      20_000,
    );
  };

  test.describe(`model: ${name}`, () => {
    answerContract(define);
    toolContract(define);
    formContract(define);
    endingContract(define);
    requestContract(define);
    resultContract(define);
    historyContract(define);
    failureContract(define);
    brokenStreamContract(define);
    abortContract(define);
  });
}

function inShort(request: unknown): string {
  const json = JSON.stringify(request);
  return json.length > 2_000 ? `${json.slice(0, 2_000)}…` : json;
}
