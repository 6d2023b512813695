import type { AgentFunctionAppOptions } from '@agent-functions/azure-functions';
import type { Store } from '@agent-functions/core';

type AppRoute = NonNullable<AgentFunctionAppOptions['routes']>[number];

/**
 * `GET /api/approvals`: what waits for an answer, oldest first. A route of the app's own, because only the app knows who
 * may see everybody's questions; here that is anybody.
 */
export function queueRoute(store: Store): AppRoute {
  return {
    method: 'GET',
    path: '/api/approvals',
    handler: async (_, { runners }) => {
      const { runs } = await store.runs.list({ unfinished: true, limit: 100 });
      const results = await Promise.all(
        runs.toReversed().map(async ({ runId, agent }) => runners[agent]?.get(runId)),
      );
      const waiting = results.flatMap((result) =>
        result?.status !== 'interrupted'
          ? []
          : result.interruptions.map(({ id, toolName, input, expiresAt }) => ({
              run_id: result.runId,
              interruption_id: id,
              tool: toolName,
              input,
              expires_at: expiresAt === undefined ? undefined : new Date(expiresAt).toISOString(),
            })),
      );
      return Response.json({ waiting });
    },
  };
}
