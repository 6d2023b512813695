import {
  AgentError,
  canonicalJson,
  sha256Hex,
  toJson,
  type Json,
  type JsonObject,
} from '@agent-functions/core';
import type { CallToolResult } from '@modelcontextprotocol/server';
import { listed, runOutputSchema } from './agent-schemas.ts';
import { fieldsOf, refused, type Call } from './call.ts';
import { decisionsSchema, toDecisions } from './decisions.ts';
import { follow, standing } from './follow.ts';
import type { ServedTool } from './served-tool.ts';
import { refusedFor, takeUpIfFree, visibleRun, type Serving } from './serving.ts';

const runId: JsonObject = { type: 'string', description: 'run_id of an answer.' };

type Fields = { readonly [name: string]: Json | undefined };

/** The tools that go on with a run whose answer had to be left: look, decide, cancel. */
export function runTools(serving: Serving): readonly ServedTool[] {
  const seconds = Math.floor(serving.waitMs / 1_000);
  return [
    {
      name: 'get_run',
      config: config(
        'Looks at a run that an agent began: waits for its answer for a while, and says how it stands.',
        {
          run_id: runId,
          wait_seconds: {
            type: 'number',
            minimum: 0,
            maximum: seconds,
            description: `How long to wait for the answer. Default ${seconds}.`,
          },
        },
        ['run_id'],
        true,
      ),
      run: guarded(['run_id', 'wait_seconds'], (fields, call) => getRun(serving, fields, call)),
    },
    {
      name: 'decide_run',
      config: config(
        'Gives a run the answers that its interruptions ask for, and waits for what comes of it. Decide for a person only what that person has decided.',
        { run_id: runId, decisions: decisionsSchema },
        ['run_id', 'decisions'],
      ),
      run: guarded(['run_id', 'decisions'], (fields, call) => decideRun(serving, fields, call)),
    },
    {
      name: 'cancel_run',
      config: config(
        'Stops a run. What it has done stays done.',
        { run_id: runId, reason: { type: 'string', maxLength: 1_000 } },
        ['run_id'],
      ),
      run: guarded(['run_id', 'reason'], (fields, call) => cancelRun(serving, fields, call)),
    },
  ];
}

function config(
  description: string,
  properties: JsonObject,
  required: readonly string[],
  readOnlyHint = false,
): ServedTool['config'] {
  return {
    description,
    inputSchema: listed({ type: 'object', properties, required, additionalProperties: false }),
    outputSchema: listed(runOutputSchema()),
    annotations: readOnlyHint ? { readOnlyHint } : { destructiveHint: true, idempotentHint: true },
  };
}

/** What is wrong with a call is for the model that made it. */
function guarded(
  known: readonly string[],
  run: (fields: Fields, call: Call) => Promise<CallToolResult>,
): ServedTool['run'] {
  return async (input, call) => {
    const fields = fieldsOf(input);
    const unknown = Object.keys(fields).find((name) => !known.includes(name));
    if (unknown !== undefined) {
      return refused(`There is no argument ${unknown}. There are: ${known.join(', ')}.`);
    }
    try {
      return await run(fields, call);
    } catch (error) {
      return refusedFor(error, call);
    }
  };
}

function runIdOf(fields: Fields): string {
  const id = fields['run_id'];
  return typeof id === 'string' ? id : '';
}

async function getRun(serving: Serving, fields: Fields, call: Call): Promise<CallToolResult> {
  const { wait_seconds: wait } = fields;
  if (wait !== undefined && !(typeof wait === 'number' && wait >= 0)) {
    return refused('wait_seconds must be a number that is not negative.');
  }
  const { header, runner } = await visibleRun(serving, runIdOf(fields), call);
  const found = await runner.get(header.runId);
  if (found !== undefined && found.status !== 'running') return standing(found, header);
  const seq = await seqOf(serving, header.runId);
  const taken = await takeUpIfFree(serving, header, runner, call.host);
  const ms = wait === undefined ? serving.waitMs : Math.min(wait * 1_000, serving.waitMs);
  return follow({ header, runner, seq, settled: taken?.settled }, ms, call);
}

async function decideRun(serving: Serving, fields: Fields, call: Call): Promise<CallToolResult> {
  const { header, runner } = await visibleRun(serving, runIdOf(fields), call);
  const decisions = readDecisions(fields['decisions']);
  if (typeof decisions === 'string') return refused(decisions);
  const seq = await seqOf(serving, header.runId);
  const by = call.principal?.id;
  // The same answers by the same caller are the same signal: a call that is made again counts once and is accepted.
  const id = await sha256Hex(canonicalJson([by ?? null, toJson(decisions)]), 128);
  const { accepted } = await runner
    .post(header.runId, { id: `decide:${id}`, type: 'decide', decisions, by })
    .catch((error: unknown) => {
      if (AgentError.isInstance(error) && error.details?.['decided'] === true) {
        return { accepted: false };
      }
      throw error;
    });
  if (!accepted) {
    return refused(
      'One of these interruptions was decided before, or has expired; nothing of this call counts. Look at the run with get_run.',
    );
  }
  const taken = await takeUpIfFree(serving, header, runner, call.host);
  return follow({ header, runner, seq, settled: taken?.settled }, serving.waitMs, call);
}

function readDecisions(value: Json | undefined): ReturnType<typeof toDecisions> | string {
  try {
    return toDecisions(value);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** How long a cancel waits to see the run end. */
const cancelWaitMs = 5_000;

async function cancelRun(serving: Serving, fields: Fields, call: Call): Promise<CallToolResult> {
  const { header, runner } = await visibleRun(serving, runIdOf(fields), call);
  const { reason } = fields;
  if (reason !== undefined && !(typeof reason === 'string' && reason.length <= 1_000)) {
    return refused('reason must be a text of at most 1,000 characters.');
  }
  const seq = await seqOf(serving, header.runId);
  const { accepted } = await runner.post(header.runId, {
    id: `cancel:${call.host.invocationId}`,
    type: 'cancel',
    by: call.principal?.id,
    ...(reason === undefined ? {} : { reason }),
  });
  // It has ended: that is what the caller wanted to know.
  if (!accepted) return standing(await runner.get(header.runId), header);
  const taken = await takeUpIfFree(serving, header, runner, call.host);
  const ms = Math.min(cancelWaitMs, serving.waitMs);
  return follow({ header, runner, seq, settled: taken?.settled }, ms, call);
}

async function seqOf({ store }: Serving, id: string): Promise<number> {
  return (await store.runs.peek(id))?.seq ?? 0;
}
