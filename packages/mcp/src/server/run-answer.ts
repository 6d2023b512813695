import {
  publicFailure,
  publicInterruption,
  type Interruption,
  type JsonObject,
  type RunFailure,
  type RunResult,
} from '@agent-functions/core';
import type { CallToolResult } from '@modelcontextprotocol/server';
import { answered } from './call.ts';

/** A run that has ended or waits, as a tool's result. */
export function runAnswer(result: RunResult<unknown>): CallToolResult {
  const { status, agent, response, runId, sessionId, interruptions, stopReason, error } = result;
  const { output } = result.toJSON();
  const structured: JsonObject = {
    status,
    agent,
    response,
    ...(output === undefined ? {} : { output }),
    run_id: runId,
    ...(sessionId === undefined ? {} : { session_id: sessionId }),
    ...(interruptions.length === 0 ? {} : { interruptions: interruptions.map(publicInterruption) }),
    ...(stopReason === undefined ? {} : { stop_reason: stopReason }),
    ...(error === undefined ? {} : { error: publicFailure(error) }),
  };
  return answered(textOf(result), structured, status === 'failed');
}

/** A run that goes on. */
export function stillRunning(run: {
  readonly runId: string;
  readonly agent: string;
  readonly sessionId?: string | undefined;
}): CallToolResult {
  const { runId, agent, sessionId } = run;
  return answered(
    `The run ${runId} of ${agent} goes on. Call get_run with {"run_id": ${JSON.stringify(runId)}} for its answer, or cancel_run to stop it.`,
    {
      status: 'running',
      agent,
      run_id: runId,
      ...(sessionId === undefined ? {} : { session_id: sessionId }),
    },
  );
}

function textOf(result: RunResult<unknown>): string {
  const { runId, response } = result;
  switch (result.status) {
    case 'completed':
      return response;
    case 'interrupted':
      return [
        `The run ${runId} waits for ${result.interruptions.length === 1 ? 'an answer' : `${result.interruptions.length} answers`}:`,
        ...result.interruptions.map(question),
        `Call decide_run with {"run_id": ${JSON.stringify(runId)}, "decisions": […]}, or cancel_run to stop it.`,
      ].join('\n');
    case 'stopped':
      return withReason(response, `The run ${runId} was stopped: ${result.stopReason}.`);
    case 'cancelled':
      return withReason(response, `The run ${runId} was cancelled.`);
    case 'failed': {
      const { code, message } = toFields(result.error);
      return `The run ${runId} failed (${code}): ${message}`;
    }
    default:
      return result satisfies never;
  }
}

/** What a client may read of a failure. */
function toFields(failure: RunFailure | undefined): {
  readonly code: string;
  readonly message: string;
} {
  const message = failure === undefined ? undefined : publicFailure(failure)['message'];
  return {
    code: failure?.code ?? 'internal',
    message: typeof message === 'string' ? message : 'It gave no reason.',
  };
}

function withReason(response: string, reason: string): string {
  return response === '' ? reason : `${response}\n(${reason})`;
}

/** What is asked, with the form of the answer. */
function question({ id, kind, toolName, input, message }: Interruption): string {
  const about = toolName === undefined ? '' : ` ${toolName}`;
  const shown = input === undefined ? '' : ` ${JSON.stringify(input)}`;
  const says = message === undefined ? '' : `: ${message}`;
  const how = {
    approval: `{"interruption_id": "${id}", "approved": true} or false`,
    ambiguous: `{"interruption_id": "${id}", "outcome": "done", "output": …}, "not-done" or "failed"`,
    input: `{"interruption_id": "${id}", "answer": …}`,
    callback: `{"interruption_id": "${id}", "answer": …}`,
  }[kind];
  const what = {
    approval: `May${about}${shown} be called`,
    ambiguous: `Nobody knows whether${about}${shown} happened`,
    input: `${about.trim()} asks`,
    callback: `${about.trim()} waits`,
  }[kind];
  return `- ${what}${says}. Answer: ${how}`;
}
