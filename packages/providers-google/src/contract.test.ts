import { modelContract } from '@agent-functions/core/testing';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { harness } from '../test/contract-harness.ts';
import { targets } from '../test/targets.ts';

for (const target of targets) {
  modelContract({ describe, it, beforeAll, afterAll }, target.name, harness(target));
}
