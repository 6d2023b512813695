import { canonicalJson, sha256Hex, toJson, type JsonObject } from './json.ts';
import type { LiveRun } from './live-run.ts';
import { inputOf, type CallState, type FrameState } from './frame.ts';
import type { Question } from './question.ts';
import { surely } from './surely.ts';
import type { Tool } from './tool.ts';

/** Asks a person whether a call may run; what is shown is bound by its hash. */
export async function askForApproval<C>(
  live: LiveRun<C>,
  frame: FrameState,
  call: CallState,
  tool: Tool<C>,
): Promise<void> {
  const expiresAt = await expiry(live, tool.approvalTimeoutMs);
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
  live.stage(frame, {
    type: 'interruption',
    interruption: {
      id: newId(live, call, 'ambiguous'),
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

/** Asks what a tool wants to know before it can go on, or waits for what it began. */
export async function askQuestion<C>(
  live: LiveRun<C>,
  frame: FrameState,
  call: CallState,
  { kind, options }: Question,
): Promise<void> {
  const { message, schema, checkpoint, timeoutMs } = options;
  const expiresAt = await expiry(live, timeoutMs);
  if (call.settled || live.failure !== undefined) return;
  if (checkpoint !== undefined) {
    live.stage(frame, { type: 'tool-checkpoint', callId: call.callId, data: toJson(checkpoint) });
  }
  live.stage(frame, {
    type: 'interruption',
    interruption: {
      id: newId(live, call, kind),
      kind,
      frame: frame.id,
      agent: frame.agent,
      callId: call.callId,
      toolName: call.toolName,
      input: call.start?.input ?? call.input,
      ...(schema === undefined ? {} : { schema: answerSchema(schema) }),
      message,
      ...(expiresAt === undefined ? {} : { expiresAt }),
    },
  });
}

async function expiry<C>(
  live: LiveRun<C>,
  timeoutMs: number | undefined,
): Promise<number | undefined> {
  if (timeoutMs === undefined) return undefined;
  const { store } = live;
  return (store === undefined ? Date.now() : await surely(() => store.now())) + timeoutMs;
}

/** A call may ask more than once. */
function newId<C>(live: LiveRun<C>, call: CallState, kind: string): string {
  const id = `${call.callId}.${kind}`;
  let asked = 0;
  for (const one of live.state.interruptions.keys()) if (one.startsWith(id)) asked += 1;
  return asked === 0 ? id : `${id}${asked + 1}`;
}

const answerSchema = (answer: JsonObject): JsonObject => ({
  type: 'object',
  properties: { answer },
  required: ['answer'],
});

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
