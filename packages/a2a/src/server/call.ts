import type { HostContext } from '@agent-functions/core';
import { versionOf } from './negotiate.ts';
import type { Call, Scope } from './scope.ts';
import { loadSdk } from './sdk.ts';

/** A request as the operations see it. */
export async function callOf(scope: Scope, request: Request, context: HostContext): Promise<Call> {
  const sdk = await loadSdk();
  return { scope, sdk, context, origin: originOf(scope, request), version: versionOf(request) };
}

/** What callers reach the server by: what the app says, else the URL of this request. */
export function originOf({ host }: Pick<Scope, 'host'>, request: Request): string {
  return host.publicUrl === '' ? new URL(request.url).origin : host.publicUrl;
}
