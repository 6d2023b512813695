import { canonicalJson, sha256Hex, type JsonObject } from './json.ts';
import type { LiveRun } from './live-run.ts';
import { inputOf, type CallState, type FrameState } from './frame.ts';
import type { Tool } from './tool.ts';

/** Asks a person whether a call may run; what is shown is bound by its hash. */
export async function askForApproval<C>(
  live: LiveRun<C>,
  frame: FrameState,
  call: CallState,
  tool: Tool<C>,
): Promise<void> {
  const expiresAt =
    tool.approvalTimeoutMs === undefined
      ? undefined
      : ((await live.store?.now()) ?? Date.now()) + tool.approvalTimeoutMs;
  live.stage(frame, {
    type: 'interruption',
    interruption: {
      id: `${call.callId}.approval`,
      kind: 'approval',
      frame: frame.id,
      agent: frame.agent,
      callId: call.callId,
      toolName: call.toolName,
      input: inputOf(call),
      inputHash: await sha256Hex(canonicalJson(inputOf(call))),
      schema: approvalSchema,
      ...(expiresAt === undefined ? {} : { expiresAt }),
    },
  });
}

/** Asks a person what became of a call that was interrupted. */
export function askForOutcome<C>(live: LiveRun<C>, frame: FrameState, call: CallState): void {
  const asked = [...live.state.interruptions.keys()].filter((id) =>
    id.startsWith(`${call.callId}.ambiguous`),
  );
  live.stage(frame, {
    type: 'interruption',
    interruption: {
      id: `${call.callId}.ambiguous${asked.length === 0 ? '' : asked.length + 1}`,
      kind: 'ambiguous',
      frame: frame.id,
      agent: frame.agent,
      callId: call.callId,
      toolName: call.toolName,
      input: call.start?.input ?? call.input,
      schema: ambiguousSchema,
      message: `${call.toolName} was interrupted and may or may not have happened. Check, then say: it happened with this result, run it again, or it failed.`,
    },
  });
}

const approvalSchema: JsonObject = {
  oneOf: [
    {
      type: 'object',
      properties: { approved: { const: true }, input: { type: 'object' } },
      required: ['approved'],
    },
    {
      type: 'object',
      properties: { approved: { const: false }, message: { type: 'string' } },
      required: ['approved'],
    },
  ],
};

const ambiguousSchema: JsonObject = {
  oneOf: [
    {
      type: 'object',
      properties: { outcome: { const: 'done' }, output: {} },
      required: ['outcome', 'output'],
    },
    { type: 'object', properties: { outcome: { const: 'not-done' } }, required: ['outcome'] },
    {
      type: 'object',
      properties: { outcome: { const: 'failed' }, message: { type: 'string' } },
      required: ['outcome'],
    },
  ],
};
