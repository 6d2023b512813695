import type { Json, Question, ToolContent, ToolContext } from '@agent-functions/core';
import { setTimeout as sleep } from 'node:timers/promises';
import { recordOf } from '@agent-functions/core/provider';
import type { Connection } from './connection.ts';
import { errorTextOf, fromResult } from './from-result.ts';
import {
  askedBefore,
  refusedMethod,
  toInputRequired,
  toQuestion,
  toResponses,
} from './input-required.ts';
import { NoSession, remoteCall } from './remote-call.ts';
import type { Settings } from './settings.ts';
import { validators } from './validator.ts';

/** How often a server may ask to be asked again, with nothing to be answered. */
const maxRounds = 10;

/**
 * Calls a tool of a server: its result, or what it asks a person first.
 *
 * @throws what the tool says when it fails; AgentError `outcome_unknown` where nobody knows whether it happened.
 */
export async function callServerTool(
  connection: Connection,
  settings: Settings,
  call: { readonly name: string; readonly input: unknown },
  context: ToolContext,
): Promise<Json | ToolContent | Question> {
  const server = `MCP server ${settings.name}`;
  const questions = { server, timeoutMs: settings.inputTimeoutMs };
  let more: object = {};
  const before = context.answer === undefined ? undefined : askedBefore(context);
  if (before !== undefined && context.answer !== undefined) {
    const answered = toResponses(before, context.answer, await validators());
    if ('wrong' in answered) return toQuestion(before, { ...questions, wrong: answered.wrong });
    more = {
      inputResponses: answered.responses,
      ...(before.requestState === undefined ? {} : { requestState: before.requestState }),
    };
  }
  for (let round = 0; round < maxRounds; round += 1) {
    const result = await inAnySession(connection, settings, { ...call, more }, context);
    const wanted = toInputRequired(result);
    if (wanted === undefined) {
      if (recordOf(result)['isError'] === true) throw new Error(errorTextOf(result));
      return fromResult(result);
    }
    const refused = refusedMethod(wanted);
    if (refused !== undefined) {
      const code = refused.startsWith('sampling/') ? 'mcp-sampling-refused' : 'mcp-request-refused';
      const text = `${server} asked for ${refused}, which agents do not do for servers. It was refused.`;
      context.warn(code, text);
      throw new Error(text);
    }
    if (Object.keys(wanted.requests).length > 0) return toQuestion(wanted, questions);
    // It only wants to be asked again, with what it said.
    more = { requestState: wanted.requestState };
    await sleep(100 * round, undefined, { signal: context.signal });
  }
  throw new Error(`${server} asked to be asked again ${maxRounds} times.`);
}

/** In a session that turns out to be over (the server began anew), the call was not taken: it is made in the next. */
async function inAnySession(
  connection: Connection,
  settings: Settings,
  call: { readonly name: string; readonly input: unknown; readonly more: object },
  context: ToolContext,
): Promise<unknown> {
  try {
    return await remoteCall(await connection.session(context.signal), settings, call, context);
  } catch (error) {
    if (!(error instanceof NoSession)) throw error;
    return remoteCall(await connection.session(context.signal), settings, call, context);
  }
}
