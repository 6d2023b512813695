import { modelContract } from '@agent-functions/core/testing';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { harness } from '../test/contract-harness.ts';

// The newest, which takes no forced tools; one that does and thinks by itself; one with a budget for thinking.
for (const name of ['claude-sonnet-5-5', 'claude-opus-4-6', 'claude-haiku-4-5']) {
  modelContract({ describe, it, beforeAll, afterAll }, `Anthropic ${name}`, harness(name));
}
