import { isJsonArray, isJsonObject, type Json, type JsonObject } from '@agent-functions/core';
import { isRecord, stringOf, type Warning } from '@agent-functions/core/provider';
import type { ModelTraits, ThinkingMode } from './known-models.ts';
import { isThinking, type LeavesOut } from './messages/conversation.ts';
import { isForced, unsupportedChoice } from './messages/tools.ts';

/**
 * What a model has taught by refusing: the name of a deployment says nothing, and newer models take less than older ones.
 * Each lesson costs one refused request, which is free, once a process.
 */
export interface Learnt {
  readonly traits: ModelTraits;
  readonly leavesOut: LeavesOut;
  /**
   * Learns from a refusal: a warning where the request can be said in another way that was not tried, else undefined.
   */
  learn(error: unknown, body: JsonObject): Warning | undefined;
}

/** So many signatures of refused thinking are kept. */
const maxRefused = 2_000;

export function learner(known: ModelTraits): Learnt {
  let traits = known;
  const refused = new Set<string>();
  const modes = new Set<ThinkingMode>([known.thinking]);

  function learn(error: unknown, body: JsonObject): Warning | undefined {
    const message = refusal(error);
    if (message === undefined) return undefined;
    if (aboutThinkingBlocks.test(message)) return dropThinking(body);
    if (/tool_choice/.test(message) && isForced(body['tool_choice']) && traits.forcedTools) {
      traits = { ...traits, forcedTools: false };
      return unsupportedChoice;
    }
    if (aboutThinkingConfig.test(message) && asksToThink(body)) {
      return otherThinking(message);
    }
    if (aboutSchemas.test(message) && traits.structured && isStructured(body)) {
      traits = { ...traits, structured: false };
      return warning(
        'unsupported-schema',
        'The schemas of tools and output are not guaranteed: the model refused them as too complex or not supported.',
      );
    }
    return undefined;
  }

  /** Thinking is bound to the model, the instructions and the messages before it; handoffs and compaction change them. */
  function dropThinking(body: JsonObject): Warning | undefined {
    const signatures = thinkingIn(body).filter((one) => !refused.has(one));
    if (signatures.length === 0) return undefined;
    if (refused.size + signatures.length > maxRefused) refused.clear();
    for (const one of signatures) refused.add(one);
    return warning(
      'reasoning-dropped',
      'What the model thought earlier was left out: it is bound to a conversation that has changed since (other instructions, another agent, or messages that were compacted).',
    );
  }

  /** The mode that the refusal names, else the one that asks for least; none is tried twice. */
  function otherThinking(message: string): Warning | undefined {
    const noAdaptive = /adaptive thinking is not supported|effort/.test(message);
    const thinking = noAdaptive ? 'budget' : traits.thinking === 'budget' ? 'adaptive' : 'always';
    if (modes.has(thinking)) return undefined;
    modes.add(thinking);
    traits = { ...traits, thinking };
    return warning(
      'unsupported-setting',
      'The setting reasoning.effort was sent in another way: the model refused the first.',
    );
  }

  return {
    get traits() {
      return traits;
    },
    leavesOut: (signature) => refused.has(signature),
    learn,
  };
}

const aboutThinkingBlocks =
  /signature|bound to a different|(thinking|redacted_thinking)`? blocks?\b.*(cannot be modified|must remain)/i;
const aboutThinkingConfig =
  /thinking\.type|adaptive thinking is not supported|thinking: |output_config\.effort|effort parameter/i;
const aboutSchemas =
  /compiled grammar|too complex|output_config\.format|output_format|structured outputs?|\bstrict\b|input_schema|union types|optional parameters/i;

/** The message of a 400: inside the body, `{ type: 'error', error: { message } }`. */
function refusal(error: unknown): string | undefined {
  if (!isRecord(error) || error['status'] !== 400) return undefined;
  const body = error['error'];
  const inner = isRecord(body) && isRecord(body['error']) ? body['error'] : body;
  return (isRecord(inner) ? stringOf(inner['message']) : undefined) ?? stringOf(error['message']);
}

function thinkingIn({ messages }: JsonObject): readonly string[] {
  if (!isJsonArray(messages)) return [];
  return messages
    .flatMap((turn) => (isJsonObject(turn) && isJsonArray(turn['content']) ? turn['content'] : []))
    .filter(isJsonObject)
    .filter((block) => isThinking(block))
    .flatMap(({ signature, data }): Json[] => [signature ?? data ?? ''])
    .filter((one) => typeof one === 'string');
}

function asksToThink({ thinking, output_config: output }: JsonObject): boolean {
  return thinking !== undefined || (isJsonObject(output) && output['effort'] !== undefined);
}

function isStructured({ tools, output_config: output }: JsonObject): boolean {
  if (isJsonObject(output) && output['format'] !== undefined) return true;
  return isJsonArray(tools) && tools.some((tool) => isJsonObject(tool) && tool['strict'] === true);
}

function warning(code: string, message: string): Warning {
  return { type: 'warning', code, message };
}
