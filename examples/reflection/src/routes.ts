import type { AgentFunctionAppOptions } from '@agent-functions/azure-functions';
import type { Principal } from '@agent-functions/core';
import { z } from 'zod';
import { samples } from './samples.ts';
import { withDrafts } from './with-drafts.ts';

type AppRoute = NonNullable<AgentFunctionAppOptions['routes']>[number];
type Runners = Parameters<AppRoute['handler']>[1]['runners'];

const request = z.object({
  agent: z.enum(['product_writer', 'release_writer']),
  message: z.string().min(1).max(2_000),
});

const path = '/api/demo/reflection';

/** `GET` asks what the README asks, `POST` something else. Both answer every draft with its scores. */
export const routes: readonly AppRoute[] = [
  {
    method: 'GET',
    path,
    handler: async (_, { runners, principal }) => {
      const runs = samples.map((sample) => reflected(runners, principal, sample));
      return Response.json({ runs: await Promise.all(runs) });
    },
  },
  {
    method: 'POST',
    path,
    handler: async (asked, { runners, principal }) => {
      const { data } = request.safeParse(await asked.json().catch(() => undefined));
      if (data !== undefined) return Response.json(await reflected(runners, principal, data));
      const detail = 'Send {"agent": "product_writer" or "release_writer", "message": "…"}.';
      return Response.json({ code: 'invalid_request', detail }, { status: 400 });
    },
  },
];

async function reflected(
  runners: Runners,
  principal: Principal | undefined,
  { agent, message }: z.infer<typeof request>,
): Promise<unknown> {
  const runner = runners[agent];
  if (runner === undefined) throw new Error(`There is no agent ${agent}.`);
  const { result, drafts } = await withDrafts(runner, message, { principal });
  const { status, response, reflection, handoffPath, usage } = result;
  return {
    agent,
    message,
    status,
    response,
    score: reflection?.score,
    kept: drafts.findLastIndex(({ better }) => better) + 1,
    drafts,
    handoff_path: handoffPath,
    model_calls: usage.requests,
  };
}
