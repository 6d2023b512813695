import { memoryStore } from '../memory-store.ts';
import { toJson } from '../json.ts';
import type { Logger } from '../logger.ts';
import { serverChatContract } from './server-chat-contract.ts';
import { serverDisconnectContract, serverStreamContract } from './server-stream-contract.ts';
import {
  Client,
  type MakeServer,
  type ServerCase,
  type ServerUnderTest,
} from './server-fixture.ts';
import { serverGuardrailContract } from './server-guardrail-contract.ts';
import { serverHandoffContract } from './server-handoff-contract.ts';
import { serverRefusalContract, serverUnknownPathContract } from './server-refusal-contract.ts';
import { serverPreferContract, serverRepeatContract } from './server-repeat-contract.ts';
import { serverRunContract } from './server-run-contract.ts';
import { serverSessionRoutesContract } from './server-session-routes-contract.ts';
import { serverSessionContract } from './server-session-contract.ts';
import type { TestFunctions } from './test-functions.ts';
import { verifyJournal } from './verify-journal.ts';

export type {
  MakeServer,
  ServerOptionsUnderTest,
  ServerUnderTest,
  WireInit,
  WireRequest,
  WireResponse,
} from './server-fixture.ts';

/** What a host may lack, each with its reason: shown in the name of the suite. */
export interface ServerLimits {
  /** Responses arrive in one piece, at their end. */
  readonly streaming?: string | undefined;
  /** The host answers paths that the server does not have by itself. */
  readonly unknownPaths?: string | undefined;
  /** The host does not tell when a client leaves. */
  readonly disconnects?: string | undefined;
}

/**
 * The specification of the HTTP API: every way of mounting a server passes it. Pass the test runner's functions, and how
 * to begin a server with the options it is handed; `request` takes a path from the root.
 */
export function serverContract(
  test: TestFunctions,
  name: string,
  make: MakeServer,
  limits: ServerLimits = {},
): void {
  const define: ServerCase = (title, body) => {
    test.it(title, async () => {
      const servers: ServerUnderTest[] = [];
      const clients = new Set<Client>();
      const log: string[] = [];
      const logger: Logger = {
        log: (level, message, fields) =>
          log.push(`${level} ${message} ${JSON.stringify(toJson(fields))}`),
      };
      try {
        await body({
          log,
          serve: async (options) => {
            const store = options.store ?? memoryStore();
            const server = await make({ agents: [], logger, ...options, store });
            servers.push(server);
            const client = new Client(server, store);
            clients.add(client);
            return client;
          },
        });
      } finally {
        for (const server of servers) await server.dispose();
      }
      for (const { store } of clients) {
        const { runs } = await store.runs.list({ limit: 1_000 });
        for (const { runId } of runs) {
          const events = [];
          for await (const event of store.runs.read(runId)) events.push(event);
          verifyJournal(events);
        }
      }
    });
  };
  const reasons = Object.entries(limits).map(([what, why]) => `no ${what}: ${why}`);
  test.describe([`server contract: ${name}`, ...reasons].join('; '), () => {
    serverChatContract(define);
    serverRunContract(define);
    serverRepeatContract(define);
    serverPreferContract(define);
    serverSessionContract(define);
    serverSessionRoutesContract(define);
    serverHandoffContract(define);
    serverGuardrailContract(define);
    serverRefusalContract(define);
    if (limits.unknownPaths === undefined) serverUnknownPathContract(define);
    serverStreamContract(define);
    if (limits.streaming === undefined && limits.disconnects === undefined) {
      serverDisconnectContract(define);
    }
  });
}
