/** How a model is told whether and how much to think. */
export type ThinkingMode =
  /** It does not. */
  | 'none'
  /** `{ type: 'enabled', budget_tokens }`; off unless asked for. */
  | 'budget'
  /** `{ type: 'adaptive' }` with `output_config.effort`; may be disabled. */
  | 'adaptive'
  /** Adaptive; `between_tools` is the least. */
  | 'between-tools'
  /** Adaptive, and never off. */
  | 'always';

/** What is known of a model by its name. */
export interface ModelTraits {
  /** The most that `max_tokens` may be. */
  readonly maxTokens: number;
  readonly thinking: ThinkingMode;
  /** `tool_choice` of `any` or one tool is taken. */
  readonly forcedTools: boolean;
  /** `output_config.format` and strict tools. */
  readonly structured: boolean;
}

/** Of a name that says nothing, such as a deployment's: what all current models can do. */
const unknown: ModelTraits = {
  maxTokens: 32_000,
  thinking: 'adaptive',
  forcedTools: true,
  structured: true,
};

/**
 * What a model can do, by family and version in its name, so that the next version of a family gets what the last one
 * has. Names of Bedrock (`us.anthropic.claude-…-v1:0`) and Vertex (`claude-…@20250929`) are read too.
 *
 * Sources: https://platform.claude.com/docs/en/about-claude/models/overview (output limits),
 * …/build-with-claude/thinking-troubleshooting (modes by model), …/models/opus-5-5/whats-new-opus-5-5 and
 * …/models/sonnet-5-5/whats-new-sonnet-5-5 (forced tools, disabled thinking).
 */
export function traitsOf(model: string): ModelTraits {
  const found = nameParts.exec(model.toLowerCase());
  if (found === null) return unknown;
  const { family, major = '', minor, oldMajor = '', oldMinor } = found.groups ?? {};
  const version = Number(major || oldMajor || 'NaN') + Number(minor ?? oldMinor ?? 0) / 10;
  // A preview without a number.
  if (Number.isNaN(version)) return { ...unknown, maxTokens: 128_000 };
  const deep = family === 'fable' || family === 'mythos';
  if (version >= 4.6) {
    return {
      maxTokens: 128_000,
      thinking: newThinking(family, version, deep),
      forcedTools: !(deep && version >= 5.1) && !(family !== 'haiku' && version >= 5.5),
      structured: true,
    };
  }
  if (version >= 4.5) return { ...unknown, maxTokens: 64_000, thinking: 'budget' };
  const structured = family === 'opus' && version >= 4.1;
  if (version >= 3.7) {
    const maxTokens = family === 'opus' ? 32_000 : 64_000;
    return { maxTokens, thinking: 'budget', forcedTools: true, structured };
  }
  const maxTokens = version >= 3.5 ? 8_192 : 4_096;
  return { maxTokens, thinking: 'none', forcedTools: true, structured: false };
}

function newThinking(family: string | undefined, version: number, deep: boolean): ThinkingMode {
  if (deep && version >= 5) return 'always';
  if (version < 5.5 || family === 'haiku') return 'adaptive';
  return family === 'sonnet' ? 'between-tools' : 'always';
}

// `claude-opus-4-5-20251101`, `claude-3-5-haiku-20241022`; a date is no version.
const nameParts =
  /claude-(?:(?<oldMajor>\d)(?:-(?<oldMinor>\d))?-)?(?<family>opus|sonnet|haiku|fable|mythos)(?:-(?<major>\d{1,2})(?!\d)(?:-(?<minor>\d)(?!\d))?)?/;

/**
 * `max_tokens`, which the API demands, where nobody says it: room for a long answer, within what the model can write.
 * An answer in one piece gets less, because a connection on which nothing comes for ten minutes is cut
 * (https://platform.claude.com/docs/en/api/errors#long-requests).
 */
export function defaultMaxTokens(traits: ModelTraits, streaming: boolean): number {
  return Math.min(traits.maxTokens, streaming ? 64_000 : 16_000);
}
