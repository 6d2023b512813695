import { modelContract } from '@agent-functions/core/testing';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { harness } from '../test/contract-harness.ts';

modelContract({ describe, it, beforeAll, afterAll }, 'Ollama', harness);
