import type { ModelStreamEvent } from '@agent-functions/core';

/** What the wire could not say. */
export type Warning = Extract<ModelStreamEvent, { readonly type: 'warning' }>;
