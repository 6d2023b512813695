export { a2a } from './server/a2a.ts';
export type { A2AAgentOptions, A2AOptions, PushNotificationOptions } from './server/options.ts';
export { remoteAgent } from './client/remote-agent.ts';
export type { RemoteAgentOptions, RemoteReach } from './client/options.ts';
