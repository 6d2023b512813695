import type { ModelCapabilities } from '@agent-functions/core';

/**
 * What is known of a model by its name (https://platform.openai.com/docs/models); nothing of other names, of deployments
 * and of other vendors' models.
 */
export function capabilitiesOf(model: string | undefined): ModelCapabilities | undefined {
  if (model === undefined) return undefined;
  if (/^gpt-3\.5|^gpt-4(-\d{4}|-32k|$)/.test(model)) {
    return { strictSchemas: false, images: false };
  }
  if (/^(o1|o3|o4)(-|$)|^codex-mini/.test(model)) {
    // The first of them call one tool at a time; of the others that is not documented.
    const early = /^(o1|o3-mini)/.test(model);
    return {
      ...(early ? { parallelToolCalls: false } : {}),
      strictSchemas: true,
      toolsWithStructuredOutput: true,
      images: !/^(o1-mini|o1-preview|o3-mini)/.test(model),
    };
  }
  if (/^(gpt-4o|gpt-4\.1|gpt-4\.5|gpt-5)/.test(model) && !/audio|realtime|search/.test(model)) {
    return {
      parallelToolCalls: true,
      strictSchemas: true,
      toolsWithStructuredOutput: true,
      images: true,
    };
  }
  return undefined;
}
