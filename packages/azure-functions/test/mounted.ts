import type { MakeServer, TestFunctions } from '@agent-functions/core/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AgentFunctionApp } from '../src/index.ts';
import { miniHost } from './mini-host.ts';

/** Begins servers of the contract suite as Functions apps. */
export function mounted(mode: { readonly streaming: boolean }): MakeServer {
  return async (options) => {
    const host = await miniHost(
      () =>
        new AgentFunctionApp({
          ...options,
          httpAuthLevel: 'anonymous',
          enableStreaming: mode.streaming,
        }),
    );
    expect(host.streams).toBe(mode.streaming);
    return {
      request: (path, init) => fetch(host.url + path, init),
      dispose: () => host.close(),
    };
  };
}

/** vitest's functions for the suites. */
export const test: TestFunctions = { describe, it, beforeAll, afterAll };
