import type { ModelCapabilities } from '@agent-functions/core';

/** A deployment may be named after a model that it is not quite: what such a name cannot is not known. */
export function capabilitiesOfDeployment(name: string | undefined): ModelCapabilities | undefined {
  const { tools, images, ...rest } = capabilitiesOf(name) ?? {};
  if (tools === undefined && images === undefined) return undefined;
  return {
    ...rest,
    ...(tools === true ? { tools } : {}),
    ...(images === true ? { images } : {}),
  };
}

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
    const first = /^(o1-mini|o1-preview)/.test(model);
    return {
      tools: !first,
      ...(early ? { parallelToolCalls: false } : {}),
      strictSchemas: true,
      toolsWithStructuredOutput: true,
      images: !/^(o1-mini|o1-preview|o3-mini)/.test(model),
    };
  }
  if (/^(gpt-4o|gpt-4\.1|gpt-4\.5|gpt-5)/.test(model) && !/audio|realtime|search/.test(model)) {
    return {
      // Of the models of ChatGPT it is not documented for all.
      ...(/-chat/.test(model) ? {} : { tools: true }),
      parallelToolCalls: true,
      strictSchemas: true,
      toolsWithStructuredOutput: true,
      images: true,
    };
  }
  return undefined;
}
