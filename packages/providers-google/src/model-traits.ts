import type { JsonObject, ModelCapabilities, ModelSettings } from '@agent-functions/core';

type Effort = NonNullable<NonNullable<ModelSettings['reasoning']>['effort']>;

/** What the name of a model says of it. Absent: unknown (a tuned model, an endpoint of one's own); nothing is refused. */
export interface ModelTraits {
  /** `3.1` of `gemini-3.1-pro-preview`. */
  readonly generation: number | undefined;
  readonly family: 'pro' | 'flash' | 'flash-lite' | undefined;
  /** Calls functions: all but those that draw or speak (ai.google.dev, the pages of Gemini 2.5 Flash Image and TTS). */
  readonly tools: boolean | undefined;
}

/** What is known of a model by its name, with or without a path (`models/…`, `publishers/google/models/…`). */
export function traitsOf(model: string): ModelTraits {
  const name = model.slice(model.lastIndexOf('/') + 1).toLowerCase();
  if (!name.startsWith('gemini'))
    return { generation: undefined, family: undefined, tools: undefined };
  const version = /^gemini-(\d+(?:\.\d+)?)/.exec(name)?.[1];
  const family = /flash-lite|flash|pro/.exec(name)?.[0];
  return {
    // `gemini-flash-latest` is a name of the newest.
    generation:
      version === undefined ? (name.endsWith('-latest') ? 3 : undefined) : Number(version),
    tools: toolsOf(name),
    family: family === 'pro' || family === 'flash' || family === 'flash-lite' ? family : undefined,
  };
}

function toolsOf(name: string): boolean | undefined {
  if (/^gemini-2\.5-.*(image|-tts)/.test(name)) return false;
  return /image|tts|audio|live|embedding/.test(name) ? undefined : true;
}

/** Since Gemini 3: thinking by levels, call ids, signatures that must come back, files in tool results. */
export function isModern({ generation }: ModelTraits): boolean {
  return generation === undefined || generation >= 3;
}

/** A response schema and tools in one request: since Gemini 3; older models answer 400 (ai.google.dev, structured output). */
export function capabilitiesOf(traits: ModelTraits): ModelCapabilities | undefined {
  if (traits.generation === undefined) return undefined;
  return {
    tools: traits.tools,
    parallelToolCalls: true,
    toolsWithStructuredOutput: isModern(traits),
    images: true,
  };
}

/** The thinking to ask for, and what of the wish the model cannot do. */
export interface Thinking {
  readonly config: JsonObject | undefined;
  readonly shortfall?: string;
}

/**
 * Effort as Gemini says it: a level since Gemini 3 (docs.cloud.google.com, Thinking: MINIMAL only for Flash up to 3.6 and
 * Flash-Lite, no MEDIUM for 3 Pro), a budget of tokens for 2.5 with the numbers of Google's own OpenAI-compatible API
 * (ai.google.dev, OpenAI compatibility), nothing before.
 */
export function thinkingOf(effort: Effort, traits: ModelTraits): Thinking {
  const { generation, family } = traits;
  if (generation !== undefined && generation < 2.5) {
    return {
      config: undefined,
      ...(effort === 'none' ? {} : { shortfall: 'the model does not think' }),
    };
  }
  return isModern(traits) ? byLevel(effort, generation, family) : byBudget(effort, family);
}

const budgets: { readonly [effort in Effort]: number } = {
  none: 0,
  minimal: 1024,
  low: 1024,
  medium: 8192,
  high: 24_576,
};

function byBudget(effort: Effort, family: ModelTraits['family']): Thinking {
  if (effort !== 'none') {
    return { config: { thinkingBudget: budgets[effort], includeThoughts: true } };
  }
  return family === 'pro'
    ? { config: { thinkingBudget: 128 }, shortfall: 'the model cannot but think; it thinks least' }
    : { config: { thinkingBudget: 0 } };
}

function byLevel(
  effort: Effort,
  generation: number | undefined,
  family: ModelTraits['family'],
): Thinking {
  const minimal =
    family === 'flash-lite' || (family === 'flash' && (generation ?? Infinity) <= 3.6);
  switch (effort) {
    case 'none':
      return {
        config: { thinkingLevel: minimal ? 'MINIMAL' : 'LOW' },
        shortfall: 'the model cannot but think; it thinks least',
      };
    case 'minimal':
      return minimal
        ? level('MINIMAL')
        : { ...level('LOW'), shortfall: 'the least that the model knows is low' };
    case 'medium':
      return generation === 3 && family === 'pro'
        ? { ...level('HIGH'), shortfall: 'the model knows only low and high; it thinks high' }
        : level('MEDIUM');
    case 'low':
    case 'high':
      return level(effort === 'low' ? 'LOW' : 'HIGH');
    default:
      return effort satisfies never;
  }
}

function level(thinkingLevel: string): Thinking {
  return { config: { thinkingLevel, includeThoughts: true } };
}
