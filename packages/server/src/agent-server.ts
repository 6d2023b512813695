import type { AgentServer, AgentServerOptions } from './options.ts';

declare const todo: never;

/** The HTTP API of some agents as a fetch handler. @throws UserError for everything that can be checked now. */
export function agentServer<C = unknown>(_options: AgentServerOptions<C>): AgentServer<C> {
  return todo;
}
