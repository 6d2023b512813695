import {
  isJsonArray,
  type JsonObject,
  type ModelRequest,
  type ModelSettings,
} from '@agent-functions/core';
import { danglingWarnings, withExtras, type Warning } from '@agent-functions/core/provider';
import { defaultMaxTokens, type ModelTraits } from './known-models.ts';
import { field } from './messages/content.ts';
import { isThinking, toConversation, type LeavesOut, type Turn } from './messages/conversation.ts';
import { withCacheMarks } from './messages/prompt-cache.ts';
import { thinkingOf } from './messages/thinking.ts';
import { isForced, toTools } from './messages/tools.ts';

/** A request body, its beta features, and what the wire could not say. */
export interface WireRequest {
  readonly body: JsonObject;
  readonly betas: readonly string[];
  readonly warnings: readonly Warning[];
}

/** What a converter must know beside the request. */
export interface RequestContext {
  readonly model: string;
  readonly traits: ModelTraits;
  readonly betas: readonly string[];
  readonly cache: '5m' | '1h' | undefined;
  readonly extraBody: JsonObject;
  readonly leavesOut: LeavesOut;
}

/** The body of `POST /v1/messages` (https://platform.claude.com/docs/en/api/messages/create). Pure. */
export function toRequest(request: ModelRequest, context: RequestContext): WireRequest {
  const { settings } = request;
  const { traits } = context;
  const warnings: Warning[] = [...danglingWarnings(request)];
  const { betas, ...options } = settings.providerOptions?.['anthropic'] ?? {};
  const conversation = toConversation(request.messages, context.leavesOut, warnings);
  const { tools, choice, format, instructions } = toTools(
    request,
    conversation.turns,
    traits,
    warnings,
  );
  const forced = isForced(choice);
  const streaming = settings.streaming !== false;
  const maxTokens = settings.maxTokens ?? defaultMaxTokens(traits, streaming);
  const effort = settings.reasoning?.effort;
  const unthinking = forced || isMidway(conversation.turns);
  const reasoning = thinkingOf(effort, traits, maxTokens, unthinking, warnings);
  const output = { ...field('effort', reasoning.effort), ...field('format', format) };
  const system = [request.instructions ?? '', ...conversation.system, instructions ?? '']
    .filter((text) => text.trim() !== '')
    .map((text): JsonObject => ({ type: 'text', text }));
  warnings.push(...unsaidSettings(settings));

  const body: JsonObject = {
    model: context.model,
    max_tokens: maxTokens,
    ...(system.length === 0 ? {} : { system }),
    messages: conversation.turns.map(({ role, content }): JsonObject => ({ role, content })),
    ...(tools.length === 0 ? {} : { tools }),
    ...field('tool_choice', choice),
    ...field('thinking', reasoning.thinking),
    ...(Object.keys(output).length === 0 ? {} : { output_config: output }),
    ...stopSequences(settings, warnings),
    stream: streaming,
  };
  const cached = context.cache === undefined ? body : withCacheMarks(body, context.cache);
  const more = isJsonArray(betas) ? betas.filter((one) => typeof one === 'string') : [];
  // Another way to think has other fields: what was written last replaces, instead of merging.
  const { thinking = options['thinking'] } = context.extraBody;
  return {
    body: { ...withExtras(cached, options, context.extraBody), ...field('thinking', thinking) },
    betas: [...new Set([...context.betas, ...more])],
    warnings,
  };
}

/**
 * Whether an answer that called tools without thinking first is to be gone on with: a model with a budget cannot begin
 * to think there (https://platform.claude.com/docs/en/build-with-claude/extended-thinking#toggling-thinking-modes).
 */
function isMidway(turns: readonly Turn[]): boolean {
  const [answer, results] = turns.slice(-2);
  return (
    results?.content[0]?.['type'] === 'tool_result' &&
    answer !== undefined &&
    !isThinking(answer.content[0])
  );
}

/** A sequence needs more than white space in it. */
function stopSequences({ stop = [] }: ModelSettings, warnings: Warning[]): JsonObject {
  const taken = stop.filter((one) => one.trim() !== '');
  if (taken.length < stop.length) {
    warnings.push(unsupportedSetting('stop of white space alone', 'Use one with other letters.'));
  }
  return taken.length === 0 ? {} : { stop_sequences: taken };
}

/** Settings that the API does not have (version 2026-10-21 took the first two away). */
function unsaidSettings(settings: ModelSettings): readonly Warning[] {
  const { temperature, topP, seed } = settings;
  const sampling =
    "Ask for what it was to achieve in the instructions; for a model of before 4.7 write it into providerOptions.anthropic, with headers: { 'anthropic-version': '2023-06-01' }.";
  return [
    ...(temperature === undefined ? [] : [unsupportedSetting('temperature', sampling)]),
    ...(topP === undefined ? [] : [unsupportedSetting('topP', sampling)]),
    ...(seed === undefined ? [] : [unsupportedSetting('seed', 'Leave it out.')]),
  ];
}

function unsupportedSetting(name: string, instead: string): Warning {
  return {
    type: 'warning',
    code: 'unsupported-setting',
    message: `The setting ${name} was not sent: the Messages API does not have it. ${instead}`,
  };
}
