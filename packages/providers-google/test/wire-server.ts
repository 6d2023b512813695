import { createServer } from 'node:http';
import { wireServer as listen, type WireServer } from '@agent-functions/core/testing';
import { problemsOf } from './validate-request.ts';

/** A server on this machine that fails a test whose requests the real API would refuse. */
export async function wireServer(): Promise<WireServer & AsyncDisposable> {
  const server = await listen(createServer, { faults: problemsOf });
  return { ...server, [Symbol.asyncDispose]: server.close };
}
