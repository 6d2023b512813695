import type { JsonObject, ModelSettings } from '@agent-functions/core';
import type { Warning } from '@agent-functions/core/provider';
import type { ModelTraits } from '../known-models.ts';

type Effort = NonNullable<NonNullable<ModelSettings['reasoning']>['effort']>;

/** Fields of the body that say how much to think. */
export interface Thinking {
  readonly thinking?: JsonObject;
  readonly effort?: string;
}

/** Tokens that a model without adaptive thinking may think; the API's least is 1,024. */
const budgets: { readonly [effort in Exclude<Effort, 'none'>]: number } = {
  minimal: 1_024,
  low: 2_048,
  medium: 8_192,
  high: 24_576,
};

/**
 * `settings.reasoning.effort` in the words of the model. Nothing said, nothing sent: the model's own default holds.
 * Summaries are asked for, because newer models leave the text of their thinking out otherwise; that costs nothing more.
 *
 * @param unthinking A model with a budget cannot think in this request.
 *
 * Source: https://platform.claude.com/docs/en/build-with-claude/thinking#configuring-thinking
 */
export function thinkingOf(
  effort: Effort | undefined,
  traits: ModelTraits,
  maxTokens: number,
  unthinking: boolean,
  warnings: Warning[],
): Thinking {
  if (effort === undefined) return {};
  switch (traits.thinking) {
    case 'none':
      if (effort !== 'none') warnings.push(unsaid('This model does not think.'));
      return {};
    case 'budget': {
      if (effort === 'none') return {};
      if (unthinking) {
        warnings.push(
          unsaid(
            'This model does not think where a tool is forced, or after calls made without thinking.',
          ),
        );
        return {};
      }
      // The budget must be less than max_tokens, and the answer wants room too.
      const budget = Math.min(budgets[effort], Math.floor(maxTokens * 0.8));
      if (budget < budgets.minimal) {
        warnings.push(unsaid(`It takes at least 1,280 maxTokens to think, not ${maxTokens}.`));
        return {};
      }
      return { thinking: { type: 'enabled', budget_tokens: budget } };
    }
    case 'adaptive':
    case 'between-tools':
    case 'always':
      return effort === 'none' ? least(traits.thinking, warnings) : adaptive(effort);
    default:
      return traits.thinking satisfies never;
  }
}

function adaptive(effort: Exclude<Effort, 'none'>): Thinking {
  return {
    thinking: { type: 'adaptive', display: 'summarized' },
    effort: effort === 'minimal' ? 'low' : effort,
  };
}

function least(mode: 'adaptive' | 'between-tools' | 'always', warnings: Warning[]): Thinking {
  if (mode === 'adaptive') return { thinking: { type: 'disabled' } };
  if (mode === 'between-tools') return { thinking: { type: 'between_tools' } };
  warnings.push(unsaid("This model cannot be kept from thinking; effort 'low' is asked for."));
  return { effort: 'low' };
}

function unsaid(why: string): Warning {
  return {
    type: 'warning',
    code: 'unsupported-setting',
    message: `The setting reasoning.effort was not sent as it is. ${why}`,
  };
}
