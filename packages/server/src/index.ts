export { agentServer } from './agent-server.ts';
export type {
  Agents,
  AgentServer,
  AgentServerOptions,
  AppRoute,
  AppRouteContext,
  CloseOptions,
  ReadyCheck,
  ReadyReport,
  RouteInfo,
  Runners,
  ServerRunner,
  WakeOptions,
} from './options.ts';
